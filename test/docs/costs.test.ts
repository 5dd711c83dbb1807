import { readFileSync, writeFileSync } from 'node:fs';
import { describe, expect, it, onTestFinished } from 'vitest';
import type { MethodName } from '../../src/protocol/contract.js';
import type { Explanation } from '../../src/protocol/models.js';
import { type DialectName, startDialect } from '../support/dialects.js';
import { message } from '../support/mail.js';
import { AnsweredError, type RawClient, serveMail } from '../support/running-broker.js';

const file = new URL('../../docs/costs.md', import.meta.url);
const begin = '<!-- From here on measured by `npm run docs`. -->\n';

const columns: readonly [title: string, dialect: DialectName][] = [
  ['full', 'full'],
  ['CONDSTORE alone', 'without QRESYNC'],
  ['bare', 'bare'],
];

const TEXT = 'Good morning';
const inbox = { mailbox: 'INBOX' };
const two = { mailboxes: ['INBOX', 'Sent'] };

type Params = Record<string, unknown>;
/** What earlier answers told. */
interface Known {
  uidValidity: number;
  state: string;
}

/** A call, twice: what the first one needs, and what the same call needs afterwards. */
interface Step {
  call: string;
  method: MethodName;
  params: Params | ((known: Known) => Params);
  /** Only once: the call changes what it needs. */
  once?: true;
}

const ofFolder =
  (more: Params) =>
  ({ uidValidity }: Known) => ({ ...inbox, uidValidity, ...more });

/** In the order in which they are called. */
const steps: readonly Step[] = [
  { call: 'mailbox.list', method: 'mailbox.list', params: {} },
  { call: 'mailbox.list {counts}', method: 'mailbox.list', params: { counts: true } },
  { call: 'mailbox.list {facts}', method: 'mailbox.list', params: { facts: true } },
  { call: 'mailbox.status of two folders', method: 'mailbox.status', params: two },
  { call: 'message.list', method: 'message.list', params: inbox },
  { call: 'message.list {ifState}', method: 'message.list', params: ({ state }) => ({ ...inbox, ifState: state }) },
  { call: 'message.list {fields} with preview', method: 'message.list', params: { ...inbox, fields: ['preview'] } },
  {
    call: 'message.list {fields} with headers',
    method: 'message.list',
    params: { ...inbox, fields: [{ headers: ['List-Id'] }] },
  },
  { call: 'message.list {filter}', method: 'message.list', params: { ...inbox, filter: { from: 'bo' } } },
  { call: 'message.list {sort}', method: 'message.list', params: { ...inbox, sort: [{ by: 'subject' }] } },
  {
    call: 'message.list {filter, sort}',
    method: 'message.list',
    params: { ...inbox, filter: { from: 'bo' }, sort: [{ by: 'date' }] },
  },
  {
    call: 'message.list {filter, countOnly}',
    method: 'message.list',
    params: { ...inbox, filter: { seen: false }, countOnly: true },
  },
  { call: 'message.search over two folders', method: 'message.search', params: { ...two, filter: { from: 'bo' } } },
  { call: 'message.threads', method: 'message.threads', params: inbox },
  { call: 'message.thread', method: 'message.thread', params: ofFolder({ uid: 2 }) },
  { call: 'mailbox.changes', method: 'mailbox.changes', params: ({ state }) => ({ ...inbox, since: state }) },
  { call: 'mailbox.info', method: 'mailbox.info', params: inbox },
  { call: 'message.get', method: 'message.get', params: ofFolder({ uids: [3] }) },
  { call: 'message.get {markSeen}', method: 'message.get', params: ofFolder({ uids: [4], markSeen: true }) },
  { call: 'message.part', method: 'message.part', params: ofFolder({ uid: 3, part: '1', transfer: 'inline' }) },
  { call: 'message.source', method: 'message.source', params: ofFolder({ uid: 3, transfer: 'inline' }) },
  { call: 'quota.get', method: 'quota.get', params: {} },
  {
    call: 'message.flag',
    method: 'message.flag',
    params: ofFolder({ uids: [5], action: 'add', flags: ['\\Flagged'] }),
    once: true,
  },
  { call: 'message.copy', method: 'message.copy', params: ofFolder({ uids: [5], destination: 'Sent' }), once: true },
  { call: 'message.move', method: 'message.move', params: ofFolder({ uids: [5], destination: 'Sent' }), once: true },
  { call: 'message.delete', method: 'message.delete', params: ofFolder({ uids: [6] }), once: true },
  {
    call: 'message.append',
    method: 'message.append',
    params: { ...inbox, data: message().toString('base64') },
    once: true,
  },
  { call: 'mailbox.create', method: 'mailbox.create', params: { mailbox: 'New' }, once: true },
  { call: 'mailbox.rename', method: 'mailbox.rename', params: { mailbox: 'New', newName: 'Newer' }, once: true },
  { call: 'mailbox.unsubscribe', method: 'mailbox.unsubscribe', params: { mailbox: 'Newer' }, once: true },
  { call: 'mailbox.subscribe', method: 'mailbox.subscribe', params: { mailbox: 'Newer' }, once: true },
  { call: 'mailbox.delete', method: 'mailbox.delete', params: { mailbox: 'Newer' }, once: true },
];

/** `2: SELECT, FETCH`: round trips, and what was sent in them; equal commands one after the other once. */
function costOf({ commands, roundTrips }: Explanation): string {
  if (roundTrips === 0) return '0';
  const counted: { name: string; times: number }[] = [];
  for (const name of commands) {
    const last = counted.at(-1);
    if (last?.name === name) last.times += 1;
    else counted.push({ name, times: 1 });
  }
  return `${roundTrips}: ${counted.map(({ name, times }) => (times > 1 ? `${times} ${name}` : name)).join(', ')}`;
}

async function measured(dialect: DialectName): Promise<string[]> {
  const { dovecot } = await startDialect(dialect);
  const mail = await serveMail(dovecot);
  onTestFinished(() => mail.stop());
  const user = dovecot.user('costs');
  const mails = Array.from({ length: 8 }, (_, at) =>
    message({ from: 'Bo <bo@example.com>', subject: `Letter ${at}`, text: `${TEXT}, ${at}` }),
  );
  await dovecot.deliver(user, 'INBOX', mails);
  await dovecot.deliver(user, 'Sent', mails.slice(0, 2));
  const session = await mail.client.login(user);
  const known = { uidValidity: 0, state: '' };
  const cells: string[] = [];
  for (const { method, params, once } of steps) {
    const ask = async () => {
      const asked = { session, explain: true, ...(typeof params === 'function' ? params(known) : params) };
      const result = await answerOf(mail.client, method, asked);
      if (method === 'message.list') Object.assign(known, listed(result, known));
      return result.refused ? `refused: ${result.refused}` : costOf(result.explain as Explanation);
    };
    const first = await ask();
    const again = once ? first : await ask();
    cells.push(first === again ? first : `${first}; again ${again}`);
  }
  return cells;
}

function listed({ uidValidity, state }: Params, known: Known): Known {
  return {
    uidValidity: (uidValidity as number | undefined) ?? known.uidValidity,
    state: (state as string | null) ?? known.state,
  };
}

async function answerOf(client: RawClient, method: MethodName, params: Params): Promise<Params> {
  try {
    return (await client.request(method, params).answer) as Params;
  } catch (error) {
    if (error instanceof AnsweredError && error.data.kind === 'IMAP_NO') return { refused: error.data.kind };
    throw error;
  }
}

describe('docs/costs.md', () => {
  it('tells the commands and round trips of each call as they are; `npm run docs` writes them anew', async () => {
    const measures: string[][] = [];
    for (const [, dialect] of columns) measures.push(await measured(dialect));
    const line = (cells: string[]) => `| ${cells.join(' | ')} |`;
    const rows = steps.map(({ call }, at) => line([`\`${call}\``, ...measures.map((cells) => cells[at] ?? '')]));
    const titles = ['call', ...columns.map(([title]) => title)];
    const wanted = `\n${[line(titles), line(titles.map(() => '---')), ...rows].join('\n')}\n`;
    const [prose = '', table] = readFileSync(file, 'utf8').split(begin);
    if (process.env.UPDATE_DOCS === '1') writeFileSync(file, prose + begin + wanted);
    else expect(table).toBe(wanted);
  });
});
