import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { stringify } from 'yaml';
import { unpacked } from '../support/unpacked.js';

interface Panel {
  id: number;
  type: string;
  title: string;
  gridPos: { x: number; y: number; w: number; h: number };
  targets?: Array<{ expr: string; legendFormat: string }>;
}

const file = new URL('../../grafana/imap-broker.json', import.meta.url);
const { panels } = JSON.parse(readFileSync(file, 'utf8')) as { panels: Panel[] };
const { program: promtool } = unpacked('prometheus', 'usr/bin/promtool');
const start = panels.findIndex(({ title }) => title === 'Brokers side by side');
const end = panels.findIndex(({ type }, index) => index > start && type === 'row');
const sideBySide = panels.slice(start + 1, end);
const brokers = { '10.0.0.1:7144': 'broker-1', '10.0.0.2:7144': 'broker-2' };

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'imap-broker-panels-'));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** An expression with what Grafana puts in for all brokers and all servers. */
function filledIn(expr: string): string {
  return expr.replaceAll('$__rate_interval', '1m').replaceAll(/\$(?:instance|server)/g, '.*');
}

/** What promtool says of a file that it is given. */
function said(command: string[], content: unknown): { status: number | null; said: string } {
  const path = join(folder, 'input.yml');
  writeFileSync(path, stringify(content));
  const { status, stdout, stderr } = spawnSync(promtool, [...command, path], { encoding: 'utf8' });
  return { status, said: stdout + stderr };
}

describe('the dashboard', () => {
  it('asks in expressions that Prometheus can read', () => {
    const exprs = panels.flatMap(({ targets = [] }) => targets.map(({ expr }) => filledIn(expr)));
    const rules = exprs.map((expr, index) => ({ record: `panel:${index}`, expr }));
    const answer = said(['check', 'rules'], { groups: [{ name: 'panels', rules }] });
    expect(answer).toEqual({ status: 0, said: expect.stringContaining(`${exprs.length} rules found`) });
  });

  it('has its panels beside and below each other, none over another', () => {
    expect(new Set(panels.map(({ id }) => id)).size).toBe(panels.length);
    const over = panels.flatMap((one, index) =>
      panels.slice(index + 1).filter(({ gridPos: { x, y, w, h } }) => {
        const own = one.gridPos;
        return x < own.x + own.w && own.x < x + w && y < own.y + own.h && own.y < y + h;
      }),
    );
    expect(over.map(({ title }) => title)).toEqual([]);
  });

  it('has a series for each broker, with its name and its address, in each panel that compares them', () => {
    const compared = sideBySide.filter(({ type }) => type === 'timeseries');
    expect(compared.length).toBeGreaterThan(5);
    for (const { title, targets = [] } of compared) {
      expect(targets[0]?.legendFormat, title).toContain('{{name}} at {{instance}}');
    }
  });

  it('tells brokers apart in Prometheus: who is busy, who drains, who has lost the store', () => {
    const metrics = (instance: string, name: string, index: number) => {
      const of = (metric: string, labels: string, values: string) => ({
        series: `${metric}{job="imap-broker",instance="${instance}"${labels}}`,
        values,
      });
      return [
        of('imap_broker_build_info', `,name="${name}",version="1"`, '1x40'),
        of('imap_broker_requests_total', ',method="m",outcome="ok",source="cache"', `0+${15 * (index + 1)}x40`),
        of('imap_broker_accounts', ',server="main"', `${3 + index}x40`),
        of('imap_broker_accounts', ',server="old"', '1x40'),
        of('imap_broker_draining', '', `${index}x40`),
        of('imap_broker_shared_up', '', `${index}x40`),
        of('imap_broker_upstream_reached', ',server="main"', '1x40'),
      ];
    };
    const [first = '', second = ''] = Object.entries(brokers).map(
      ([instance, name]) => `{instance="${instance}", name="${name}"}`,
    );
    const cases: [string, number, [string, number][]][] = [
      [
        'Requests of each broker',
        0,
        [
          [first, 1],
          [second, 2],
        ],
      ],
      [
        'Accounts of each broker',
        0,
        [
          [first, 4],
          [second, 5],
        ],
      ],
      ['Accounts of each broker', 1, [['{}', 9]]],
      ['Not in service', 0, [[second, 1]]],
      ['Not in service', 1, [[first, 1]]],
      ['Not in service', 2, []],
    ];
    const tests = cases.map(([title, target, samples]) => ({
      expr: filledIn(sideBySide.find((panel) => panel.title === title)?.targets?.[target]?.expr ?? ''),
      eval_time: '5m',
      exp_samples: samples.map(([labels, value]) => ({ labels, value })),
    }));
    const input_series = Object.entries(brokers).flatMap(([instance, name], index) => metrics(instance, name, index));
    const answer = said(['test', 'rules'], {
      evaluation_interval: '15s',
      tests: [{ interval: '15s', input_series, promql_expr_test: tests }],
    });
    expect(answer).toEqual({ status: 0, said: expect.stringContaining('SUCCESS') });
  });
});
