import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it, onTestFinished } from 'vitest';
import { parse, stringify } from 'yaml';
import { idleBroker } from '../support/idle-broker.js';
import { page } from '../support/scrape.js';
import { unpacked } from '../support/unpacked.js';

const file = fileURLToPath(new URL('../../grafana/alerts.yml', import.meta.url));
const { groups } = parse(readFileSync(file, 'utf8')) as {
  groups: Array<{
    rules: Array<{ alert: string; labels: { severity: string }; annotations: { description: string } }>;
  }>;
};
const rules = groups.flatMap((group) => group.rules);
// It comes with Debian's prometheus, which begins to serve when it is installed: so it is unpacked only.
const { program: promtool } = unpacked('prometheus', 'usr/bin/promtool');

/** Samples by metric, one each 15 s, as promtool writes them: `0+3x40` begins at 0 and grows by 3, 40 times. */
type Samples = Record<string, string>;

interface Case {
  alert: string;
  /** What goes on when the alert fires, and its labels beside `instance`. */
  bad: Samples;
  labels?: Record<string, string>;
  /** With `INSTANCE` where the broker is named. */
  summary: string;
  /** The alert is about all brokers and names none. */
  together?: true;
  /** What another broker has at the same time as `bad`. */
  alsoBad?: Samples;
  /** What looks alike and must not fire the alert. */
  good: Samples;
}

const ok = 'requests_total{method="message.get",outcome="ok",source="server"}';
const refused = (outcome: string) => `requests_total{method="message.get",outcome="${outcome}",source="none"}`;
const logins = (outcome: string) => `logins_total{server="main",outcome="${outcome}"}`;
const main = { server: 'main' };
const MINUTES = 30;
const ALL = MINUTES * 4;

/** Buckets of a histogram of which a share is below a bound and the rest below another. */
function histogram(name: string, labels: string, below: Record<string, number>): Samples {
  return Object.fromEntries(
    Object.entries(below).map(([le, rate]) => [`${name}_bucket{${labels},le="${le}"}`, `0+${rate}x${ALL}`]),
  );
}
const request = (below: Record<string, number>) =>
  histogram('request_duration_seconds', 'method="message.get",source="server"', below);
const wait = (below: Record<string, number>) =>
  histogram('pool_wait_seconds', 'server="main",lane="interactive"', below);

const cases: Case[] = [
  {
    alert: 'ImapBrokerDown',
    bad: { up: `1x20 0x${ALL}` },
    labels: { job: 'imap-broker' },
    summary: 'imap-broker INSTANCE does not answer',
    good: { up: `1x${ALL}` },
  },
  {
    alert: 'ImapBrokerRestarts',
    bad: { process_start_time_seconds: `1x20 400x20 700x20 1000x${ALL}` },
    labels: { job: 'imap-broker' },
    summary: 'imap-broker INSTANCE was started 3 times in half an hour',
    good: { process_start_time_seconds: `1x20 400x${ALL}` },
  },
  {
    alert: 'ImapBrokerServerBackingOff',
    // Each try is followed by a time in which nobody asks.
    bad: { 'breaker_open{server="main"}': `${'1x3 0x6 '.repeat(20)}` },
    labels: { job: 'imap-broker', ...main },
    summary: 'IMAP server main cannot be reached from INSTANCE',
    good: { 'breaker_open{server="main"}': `0x90 1x4 0x${ALL}` },
  },
  {
    alert: 'ImapBrokerSharedDown',
    bad: { shared_up: `1x20 0x${ALL}` },
    labels: { job: 'imap-broker' },
    summary: 'imap-broker INSTANCE cannot reach the store that brokers share',
    good: { shared_up: `1x20 0x4 1x${ALL}` },
  },
  {
    alert: 'ImapBrokerLoginsFail',
    bad: { [logins('ok')]: `0+3x${ALL}`, [logins('unavailable')]: `0+1x${ALL}` },
    labels: main,
    summary: '25% of the logins of INSTANCE at main fail',
    good: { [logins('ok')]: `0+3x${ALL}`, [logins('refused')]: `0+9x${ALL}`, [logins('aborted')]: `0+9x${ALL}` },
  },
  {
    alert: 'ImapBrokerWrongPasswords',
    together: true,
    bad: { 'logins_total{server="guessed",outcome="refused"}': `0+30x${ALL}` },
    labels: { server: 'guessed' },
    summary: '2 logins a second at guessed are refused',
    good: { [logins('refused')]: `0+3x${ALL}`, [logins('ok')]: `0+300x${ALL}` },
  },
  {
    alert: 'ImapBrokerWrongPasswords',
    together: true,
    // Guesses come by all brokers, by each of them slower than is told for one.
    bad: { 'logins_total{server="spread",outcome="refused"}': `0+9x${ALL}` },
    alsoBad: { 'logins_total{server="spread",outcome="refused"}': `0+12x${ALL}` },
    labels: { server: 'spread' },
    summary: '1.4 logins a second at spread are refused',
    good: {},
  },
  {
    alert: 'ImapBrokerDefect',
    // One alone.
    bad: { [ok]: `0+10x${ALL}`, [refused('INTERNAL')]: `0x100 1x${ALL}` },
    labels: { method: 'message.get' },
    summary: 'Requests of message.get at INSTANCE end with INTERNAL',
    good: { [ok]: `0+10x${ALL}`, [refused('INTERNAL')]: `1x${ALL}` },
  },
  {
    alert: 'ImapBrokerErrors',
    bad: { [ok]: `0+9x${ALL}`, [refused('DEADLINE')]: `0+1x${ALL}` },
    summary: '10% of all requests at INSTANCE fail',
    good: { [ok]: `0+9x${ALL}`, [refused('NOT_FOUND')]: `0+9x${ALL}` },
  },
  {
    alert: 'ImapBrokerSlow',
    bad: request({ 2.5: 90, 5: 100, '+Inf': 100 }),
    summary: 'One request in a hundred at INSTANCE takes more than 4.75s',
    good: request({ 1: 95, 2.5: 100, 5: 100, '+Inf': 100 }),
  },
  {
    alert: 'ImapBrokerQueue',
    bad: wait({ 1: 90, 2: 100, '+Inf': 100 }),
    labels: main,
    summary: 'Requests at INSTANCE wait 1.5s for a connection to main',
    good: wait({ 1: 96, 2: 100, '+Inf': 100 }),
  },
  {
    alert: 'ImapBrokerPoolFull',
    bad: {
      'slots_used{server="main"}': `500x${ALL}`,
      'slots_used{server="old"}': `450x${ALL}`,
      'slots_limit{cap="broker"}': `1000x${ALL}`,
    },
    summary: '95% of the connections of INSTANCE are in use',
    good: { 'slots_used{server="main"}': `500x${ALL}`, 'slots_limit{cap="broker"}': `1000x${ALL}` },
  },
  {
    alert: 'ImapBrokerServerFull',
    bad: {
      'slots_used{server="main"}': `475x${ALL}`,
      'slots_used{server="old"}': `10x${ALL}`,
      'slots_limit{cap="server"}': `500x${ALL}`,
    },
    labels: { job: 'imap-broker', ...main },
    summary: '95% of the connections of INSTANCE to main are in use',
    good: { 'slots_used{server="main"}': `400x${ALL}`, 'slots_limit{cap="server"}': `500x${ALL}` },
  },
  {
    alert: 'ImapBrokerEvictions',
    bad: { 'connections_ended_total{server="main",reason="evicted"}': `0+30x${ALL}` },
    labels: main,
    summary: '2 connections a second of INSTANCE to main give way to other accounts',
    good: { 'connections_ended_total{server="main",reason="reaped"}': `0+30x${ALL}` },
  },
  {
    alert: 'ImapBrokerSocketsFull',
    bad: {
      'sockets{tenant="webmail"}': `480x${ALL}`,
      'sockets{tenant="helpdesk"}': `480x${ALL}`,
      'tenant_sockets_limit{tenant="webmail"}': `600x${ALL}`,
      'tenant_sockets_limit{tenant="helpdesk"}': `600x${ALL}`,
      sockets_limit: `1000x${ALL}`,
    },
    summary: '96% of the sockets of INSTANCE are in use',
    good: {
      'sockets{tenant="webmail"}': `300x${ALL}`,
      'tenant_sockets_limit{tenant="webmail"}': `500x${ALL}`,
      sockets_limit: `1000x${ALL}`,
    },
  },
  {
    alert: 'ImapBrokerSocketsFull',
    bad: {
      'sockets{tenant="webmail"}': `480x${ALL}`,
      'sockets{tenant="helpdesk"}': `1x${ALL}`,
      'tenant_sockets_limit{tenant="webmail"}': `500x${ALL}`,
      'tenant_sockets_limit{tenant="helpdesk"}': `500x${ALL}`,
      sockets_limit: `1000x${ALL}`,
    },
    labels: { tenant: 'webmail' },
    summary: '96% of the sockets of webmail at INSTANCE are in use',
    good: {},
  },
  {
    alert: 'ImapBrokerTurnedAway',
    bad: { [ok]: `0+900x${ALL}`, [refused('RATE_LIMITED')]: `0+30x${ALL}` },
    summary: '2 requests a second at INSTANCE are refused with RATE_LIMITED',
    good: { [ok]: `0+900x${ALL}`, [refused('RATE_LIMITED')]: `0+3x${ALL}` },
  },
  {
    alert: 'ImapBrokerBusy',
    bad: { nodejs_eventloop_lag_p99_seconds: `0.5x${ALL}` },
    labels: { job: 'imap-broker' },
    summary: 'The event loop of INSTANCE is late by 500ms',
    good: { nodejs_eventloop_lag_p99_seconds: `0.02x${ALL}` },
  },
  {
    alert: 'ImapBrokerDescriptors',
    bad: { process_open_fds: `950x${ALL}`, process_max_fds: `1000x${ALL}` },
    labels: { job: 'imap-broker' },
    summary: '95% of the file descriptors of INSTANCE are in use',
    good: { process_open_fds: `500x${ALL}`, process_max_fds: `1000x${ALL}` },
  },
];

/** What Prometheus has scraped of a broker. */
function series(instance: string, samples: Samples) {
  return Object.entries(samples).map(([name, values]) => {
    const [, metric = '', labels = ''] = /^(\w+)(?:\{(.*)\})?$/.exec(name) ?? [];
    const full = /^(up|process_|nodejs_)/.test(metric) ? metric : `imap_broker_${metric}`;
    return { series: `${full}{job="imap-broker",instance="${instance}"${labels && `,${labels}`}}`, values };
  });
}

/** One of the tests that promtool is to do: each case has a broker of its own for what is bad, and one for what is good. */
function promtoolTest() {
  const told = cases.map(({ alert, together, labels = {}, summary }, index) => {
    const own = together ? {} : { instance: `bad${index}` };
    const rule = rules.find((one) => one.alert === alert);
    return {
      alert,
      exp_labels: { severity: rule?.labels.severity, ...own, ...labels },
      exp_annotations: {
        summary: summary.replace('INSTANCE', `bad${index}`),
        description: rule?.annotations.description,
      },
    };
  });
  return {
    interval: '15s',
    input_series: cases.flatMap(({ bad, alsoBad = {}, good }, index) => [
      ...series(`bad${index}`, bad),
      ...series(`other${index}`, alsoBad),
      ...series(`good${index}`, good),
    ]),
    alert_rule_test: rules.map(({ alert }) => ({
      eval_time: `${MINUTES}m`,
      alertname: alert,
      exp_alerts: told.filter((one) => one.alert === alert).map(({ alert: _, ...expected }) => expected),
    })),
  };
}

it('each alert is tried, in what it is for and in what is like it', () => {
  expect([...new Set(cases.map(({ alert }) => alert))]).toEqual(rules.map(({ alert }) => alert));
});

describe('Prometheus, with the rules for alerts', () => {
  it('tells of what is wrong, in a sentence, and of nothing else', () => {
    const folder = mkdtempSync(join(tmpdir(), 'imap-broker-alerts-'));
    onTestFinished(() => rmSync(folder, { recursive: true }));
    const tests = join(folder, 'tests.yml');
    writeFileSync(tests, stringify({ rule_files: [file], evaluation_interval: '15s', tests: [promtoolTest()] }));
    const { status, stdout, stderr } = spawnSync(promtool, ['test', 'rules', tests], { encoding: 'utf8' });
    expect({ status, said: stdout + stderr }).toEqual({ status: 0, said: expect.stringContaining('SUCCESS') });
  });

  it('can read what a broker tells', async () => {
    const broker = await idleBroker();
    onTestFinished(() => broker.stop());
    const { body } = await page(broker.monitorUrl, '/metrics');
    const { stderr } = spawnSync(promtool, ['check', 'metrics'], { input: body, encoding: 'utf8' });
    // Those of prom-client are named as is usual for Node.
    expect(stderr.split('\n').filter((line) => line !== '' && !line.startsWith('nodejs_'))).toEqual([]);
  });
});
