import { badge, button, Table } from './table.js';
import { bytes, clock, number, span, whose } from './words.js';

const byId = (id) => document.getElementById(id);
const states = { open: ['left alone', 'bad'], trying: ['trying', 'warn'] };

/** What a breaker says of a server: one that nobody has asked for anything says nothing. */
function reachOf({ state, failures, connections }) {
  if (state !== 'closed') return states[state];
  if (failures > 0) return ['failing', 'warn'];
  return connections > 0 ? ['reachable', 'good'] : ['not in use', ''];
}

/** Names of an account alone, as the methods take them. */
export const namesOf = ({ tenant, server, user }) => ({ tenant, server, user });
export const keyOf = ({ tenant, server, user }) => JSON.stringify([tenant, server, user]);

/** Whether exactly this was paused, so that exactly this can be resumed. */
export function isPaused(paused, which) {
  return paused.some((one) => keyOf(one) === keyOf(which));
}

/** The IMAP servers. @param {(which: object, paused: boolean) => void} onPause */
export function serverTable(onPause, pausedNow) {
  return new Table(
    byId('servers'),
    'servers-title',
    [
      { title: 'Server', of: ({ name }) => name },
      { title: 'Breaker', of: (row) => badge(...reachOf(row)) },
      { title: 'Failures', number: true, of: ({ failures }) => number(failures) },
      {
        title: 'Next try',
        number: true,
        of: ({ state, retryAfterMs }) => (state === 'open' ? span(retryAfterMs) : '–'),
      },
      {
        title: 'Connections',
        number: true,
        of: (row) => `${number(row.connections)} of ${number(row.connectionLimit)}`,
      },
      { title: 'Accounts', number: true, of: ({ accounts }) => number(accounts) },
      { title: 'Waiting', number: true, of: ({ waiting }) => number(waiting) },
      {
        title: 'Requests',
        of: ({ name }, before) => {
          const paused = isPaused(pausedNow(), { server: name });
          const verb = paused ? 'Resume' : 'Pause';
          return button(before, verb, `${verb} server ${name}`, () => onPause({ server: name }, paused));
        },
      },
    ],
    'There are none.',
  );
}

/** The accounts in use. @param {(account: object) => void} onOpen */
export function accountTable(onOpen) {
  return new Table(
    byId('accounts'),
    'accounts-title',
    [
      {
        title: 'Login name',
        of: (row, before) => button(before, row.user, `Show ${whose(row)}`, () => onOpen(namesOf(row))),
      },
      { title: 'Tenant', of: ({ tenant }) => tenant },
      { title: 'Server', of: ({ server }) => server },
      { title: 'State', of: ({ paused }) => (paused ? badge('paused', 'warn') : 'running') },
      { title: 'Busy', number: true, of: ({ busy }) => number(busy) },
      { title: 'Idle', number: true, of: ({ idle }) => number(idle) },
      { title: 'Watching', number: true, of: ({ watching }) => number(watching) },
      { title: 'Waiting', number: true, of: ({ waiting }) => number(waiting) },
      { title: 'Longest wait', number: true, of: (row) => (row.waiting === 0 ? '–' : span(row.longestWaitMs)) },
      { title: 'Sessions', number: true, of: ({ sessions }) => number(sessions) },
      { title: 'Memory', number: true, of: ({ viewBytes }) => bytes(viewBytes) },
    ],
    'No account is in use.',
  );
}

export function connectionTable() {
  return new Table(
    byId('connections'),
    'connections-title',
    [
      { title: 'Connection', of: ({ id }) => id },
      { title: 'State', of: ({ state }) => state },
      { title: 'Folder', of: ({ mailbox }) => mailbox ?? '–' },
      { title: 'Age', number: true, of: ({ ageMs }) => span(ageMs) },
      { title: 'Idle for', number: true, of: ({ state, idleMs }) => (state === 'idle' ? span(idleMs) : '–') },
      { title: 'Served', number: true, of: ({ served }) => number(served) },
      { title: 'Sent', number: true, of: ({ sentBytes }) => bytes(sentBytes) },
      { title: 'Received', number: true, of: ({ receivedBytes }) => bytes(receivedBytes) },
    ],
    'It has none.',
  );
}

export function waitingTable() {
  return new Table(
    byId('waiting'),
    'waiting-title',
    [
      { title: 'Method', of: ({ method }) => method },
      { title: 'Lane', of: ({ lane }) => lane },
      { title: 'Has waited', number: true, of: ({ waitedMs }) => span(waitedMs) },
    ],
    'None waits.',
  );
}

/** @param {(account: object) => void} onOpen */
export function slowestTable(onOpen) {
  return new Table(
    byId('slowest'),
    'slowest-title',
    [
      { title: 'Method', of: ({ method }) => method },
      { title: 'Took', number: true, of: ({ ms }) => span(ms) },
      {
        title: 'Outcome',
        of: ({ outcome }) => badge(outcome, outcome === 'ok' ? 'good' : 'bad'),
      },
      { title: 'Source', of: ({ source }) => source ?? '–' },
      {
        title: 'Login name',
        of: (row, before) =>
          row.user === null ? '–' : button(before, row.user, `Show ${whose(row)}`, () => onOpen(namesOf(row))),
      },
      { title: 'Tenant', of: ({ tenant }) => tenant },
      { title: 'Server', of: ({ server }) => server ?? '–' },
      { title: 'At', number: true, of: ({ answeredAt }) => clock(answeredAt) },
    ],
    'Nothing was asked for.',
  );
}
