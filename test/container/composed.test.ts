import { spawnSync } from 'node:child_process';
import { X509Certificate } from 'node:crypto';
import { readFileSync, statSync } from 'node:fs';
import { get } from 'node:https';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { projectRoot } from '../cli/built.js';
import type { Program } from '../cli/program.js';
import { WithoutDocker } from './without-docker.js';

let stage: WithoutDocker;
let broker: Program;
beforeAll(async () => {
  stage = await WithoutDocker.start();
});
afterAll(() => stage.stop());

/** GETs a page of the monitor as a browser that knows the authority. */
function monitorPage(path: string): Promise<{ status: number; body: string }> {
  const ca = readFileSync(stage.path('tls/authority/ca.pem'));
  return new Promise((resolve, reject) => {
    get(`https://localhost:${stage.ports['7144']}${path}`, { ca, agent: false }, async (response) => {
      let body = '';
      for await (const chunk of response.setEncoding('utf8')) body += chunk;
      resolve({ status: response.statusCode ?? 0, body });
    }).on('error', reject);
  });
}

/** The values that Prometheus answers to an expression. */
async function asked(expr: string): Promise<number[]> {
  const url = `http://127.0.0.1:${stage.ports['9090']}/api/v1/query?query=${encodeURIComponent(expr)}`;
  const answer = await fetch(url).then(
    (response) => response.json() as Promise<{ status: string; data: { result: { value: [number, string] }[] } }>,
    () => undefined,
  );
  if (answer === undefined) return [];
  expect(answer.status, expr).toBe('success');
  return answer.data.result.map(({ value }) => Number(value[1]));
}

// Each test goes on where the one before it ended, as the containers start one after the other.
describe('what compose.yaml puts together', () => {
  it('has secrets that are made once, and that no other user of the host can read', () => {
    const folder = stage.path('container/secrets');
    expect(statSync(folder).mode & 0o777).toBe(0o700);
    const again = spawnSync('sh', [stage.path('container/setup.sh')], { encoding: 'utf8' });
    expect(again).toMatchObject({ status: 1, stdout: '', stderr: expect.stringMatching(/^There is a folder secrets/) });
    for (const file of ['webmail_tokens', 'operator_tokens']) {
      expect(readFileSync(join(folder, file), 'utf8')).toMatch(/^[0-9a-f]{64}\n$/);
    }
  });

  it('makes certificates once, each for the name of its service, and keeps no key of the authority', () => {
    expect(stage.makeCertificates()).toBe(0);
    const read = (name: string) => readFileSync(stage.path(`tls/${name}`));
    const ca = new X509Certificate(read('authority/ca.pem'));
    for (const name of ['dovecot', 'broker']) {
      const certificate = new X509Certificate(read(`${name}/cert.pem`));
      expect(certificate.verify(ca.publicKey)).toBe(true);
      expect([name, 'localhost'].map((host) => certificate.checkHost(host))).toEqual([name, 'localhost']);
      expect(statSync(stage.path(`tls/${name}/key.pem`))).toMatchObject({
        mode: 0o100600,
        uid: name === 'broker' ? 1000 : 0,
      });
    }
    const before = read('broker/cert.pem');
    expect(stage.makeCertificates()).toBe(0);
    expect(read('broker/cert.pem')).toEqual(before);
  });

  it('has a Dovecot that is healthy once it greets', async () => {
    expect(stage.health('dovecot')).not.toBe(0);
    stage.startDovecot();
    await expect.poll(() => stage.health('dovecot')).toBe(0);
  });

  it('has a broker that starts from the files of its image, and is healthy then', async () => {
    expect(stage.health('broker')).toBe(1);
    broker = stage.startBroker();
    await broker.printed(/"msg":"listening"/);
    expect(stage.health('broker')).toBe(0);
    expect(stage.call('check-config', stage.path('container/broker.toml'))).toContain(': OK: ');
    expect((await monitorPage('/readyz')).status).toBe(200);
  });

  it('lets the web application in by TLS, and the user at Dovecot', async () => {
    const { webmail: token, password } = stage.secrets;
    const open = { server: 'main', user: 'anna', auth: { password } };
    const opened = JSON.parse(stage.call('call', 'session.open', JSON.stringify(open), '--token', token));
    const listed = JSON.parse(
      stage.call('call', 'mailbox.list', JSON.stringify({ session: opened.session }), '--token', token),
    );
    const names = listed.mailboxes.map(({ name }: { name: string }) => name);
    expect(names.sort()).toEqual(['Drafts', 'INBOX', 'Junk', 'Sent', 'Trash']);
    expect(() => stage.call('call', 'broker.ping', '--token', 'another')).toThrow('UNAUTHENTICATED');
  });

  it('has the page for operators, and lets an operator ask for the state of the broker', async () => {
    expect(await monitorPage('/')).toMatchObject({ status: 200, body: expect.stringContaining('imap-broker') });
    expect((await monitorPage('/dashboard/uplot.js')).status).toBe(200);
    const status = stage.call('call', 'broker.status', '--token', stage.secrets.operator);
    expect(JSON.parse(status)).toMatchObject({ state: 'running', servers: [{ name: 'main' }] });
  });

  it('has a Prometheus that scrapes the broker, knows the rules, and answers each question of the dashboard', async () => {
    stage.startPrometheus();
    await expect.poll(() => asked('up{job="imap-broker"}')).toEqual([1]);
    const rules = await fetch(`http://127.0.0.1:${stage.ports['9090']}/api/v1/rules`).then((answer) => answer.text());
    expect(rules).toContain('ImapBrokerDown');
    // The login of before.
    expect(await asked('imap_broker_logins_total{server="main",outcome="ok"}')).toEqual([1]);
    const text = readFileSync(join(projectRoot, 'grafana/imap-broker.json'), 'utf8');
    const { panels } = JSON.parse(text) as { panels: { targets?: { expr: string }[] }[] };
    for (const { expr } of panels.flatMap(({ targets = [] }) => targets)) {
      await asked(expr.replaceAll('$__rate_interval', '10s').replaceAll(/\$(?:instance|server)/g, '.*'));
    }
  });

  it('sees the first request of its kind grow a counter', async () => {
    const counter = 'imap_broker_requests_total{method="session.info",outcome="SESSION_EXPIRED"}';
    const first = `increase(${counter}[1m]) > 0`;
    await expect.poll(() => asked(`count_over_time(${counter}[1m]) > 1`)).toHaveLength(1);
    expect(await asked(first)).toEqual([]);
    const wrong = ['call', 'session.info', '{"session":"none"}', '--token', stage.secrets.webmail];
    expect(() => stage.call(...wrong)).toThrow('SESSION_EXPIRED');
    await expect.poll(() => asked(first)).toHaveLength(1);
  });

  it('ends in order at SIGTERM', async () => {
    expect(await broker.stop()).toBe(0);
    expect(broker.out).toContain('"msg":"stopped"');
  });
});
