import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import type { Broker } from '../../src/broker/broker.js';
import { idleBroker } from '../support/idle-broker.js';
import { page } from '../support/scrape.js';

interface Rule {
  alert: string;
  expr: string;
  for?: string;
  labels: { severity: string };
  annotations: { summary: string; description: string };
}

interface Panel {
  type: string;
  title: string;
  targets?: Array<{ expr: string; legendFormat: string }>;
}

interface Dashboard {
  panels: Panel[];
  templating: { list: Array<{ name: string; query: string | { query: string } }> };
  annotations: { list: Array<{ target: { expr: string } }> };
}

const textOf = (name: string) => readFileSync(new URL(`../../grafana/${name}`, import.meta.url), 'utf8');
const { groups } = parse(textOf('alerts.yml')) as { groups: Array<{ name: string; rules: Rule[] }> };
const rules = groups.flatMap((group) => group.rules);
const dashboard = JSON.parse(textOf('imap-broker.json')) as Dashboard;
const targets = dashboard.panels.flatMap(({ title, targets = [] }) => targets.map((target) => ({ title, ...target })));
const queries = [
  ...dashboard.templating.list.map(({ query }) => (typeof query === 'string' ? query : query.query)),
  ...dashboard.annotations.list.map(({ target }) => target.expr),
];

/** Labels that Prometheus adds, and those of histograms. */
const added = ['instance', 'job', 'le'];
/** What Prometheus itself knows of a target. */
const own = 'up';

let broker: Broker;
/** The type of each metric that a broker exports, by name. */
let types: Map<string, string>;
beforeAll(async () => {
  broker = await idleBroker();
  const { body } = await page(broker.monitorUrl, '/metrics');
  types = new Map([...body.matchAll(/^# TYPE (\S+) (\S+)$/gm)].map(([, name = '', type = '']) => [name, type]));
});
afterAll(() => broker.stop());

/** Metrics of an expression, as they are called there. */
function metricsIn(expr: string): string[] {
  return [...expr.matchAll(/\b(?:imap_broker|process|nodejs)_[a-z0-9_]+|\bup\b(?=\{)/g)].map(([name]) => name);
}

/** The exported name: histograms are asked for by their parts. */
function exported(name: string): string {
  const base = name.replace(/_(bucket|sum|count)$/, '');
  return types.get(base) === 'histogram' ? base : name;
}

function unknownIn(expr: string): string[] {
  return metricsIn(expr).filter((name) => name !== own && !types.has(exported(name)));
}

/** Labels that an expression asks of a metric which does not have them. */
function wrongLabelsIn(expr: string): string[] {
  return [...expr.matchAll(/(imap_broker_[a-z0-9_]+)\{([^}]*)\}/g)].flatMap(([, name = '', matchers = '']) => {
    const labels = broker.metrics.find((entry) => entry.name === exported(name))?.labels ?? [];
    const asked = [...matchers.matchAll(/(\w+)\s*(?:=~|!~|!=|=)/g)].map(([, label = '']) => label);
    return asked
      .filter((label) => !labels.includes(label) && !added.includes(label))
      .map((label) => `${name}.${label}`);
  });
}

describe('the rules for alerts', () => {
  it('are rules, each with its own name', () => {
    expect(rules.length).toBeGreaterThan(10);
    expect(new Set(rules.map(({ alert }) => alert)).size).toBe(rules.length);
  });

  it.each(rules.map((rule) => [rule.alert, rule] as const))(
    '%s says what is wrong, and asks what there is',
    (_, rule) => {
      const { alert, expr, for: wait, labels, annotations, ...others } = rule;
      expect(alert).toMatch(/^ImapBroker[A-Za-z]+$/);
      expect(wait ?? '1m').toMatch(/^\d+m$/);
      expect(['warning', 'critical']).toContain(labels.severity);
      expect(Object.keys(annotations).sort()).toEqual(['description', 'summary']);
      expect(others).toEqual({});
      expect(metricsIn(expr).length).toBeGreaterThan(0);
      expect(unknownIn(expr)).toEqual([]);
      expect(wrongLabelsIn(expr)).toEqual([]);
    },
  );
});

describe('the dashboard', () => {
  it.each(targets)('asks what there is: $title, $legendFormat', ({ expr }) => {
    expect(metricsIn(expr).length).toBeGreaterThan(0);
    expect(unknownIn(expr)).toEqual([]);
    expect(wrongLabelsIn(expr)).toEqual([]);
  });

  it('chooses brokers and servers by what there is', () => {
    expect(queries.flatMap(unknownIn)).toEqual([]);
    const known = dashboard.templating.list.map(({ name }) => name);
    const used = targets.flatMap(({ expr }) => [...expr.matchAll(/\$(\w+)/g)].map(([, name = '']) => name));
    expect([...known, '__rate_interval']).toEqual(expect.arrayContaining(used));
  });

  it('shows every metric that a broker has of its own', () => {
    const shown = new Set(targets.flatMap(({ expr }) => metricsIn(expr).map(exported)));
    const missing = broker.metrics.map(({ name }) => name).filter((name) => !shown.has(name));
    expect(missing).toEqual([]);
  });
});
