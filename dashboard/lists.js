import { badge, button, buttons, person, Table } from './table.js';
import { bytes, clock, counted, moment, number, span, visible, whose } from './words.js';

const byId = (id) => document.getElementById(id);

/** Names of an account alone, as the methods take them. */
export const namesOf = ({ tenant, server, user }) => ({ tenant, server, user });
export const keyOf = ({ tenant, server, user }) => JSON.stringify([tenant, server, user]);

/** Whether exactly this was paused, so that exactly this can be resumed. */
export function isPaused(paused, which) {
  return paused.some((one) => keyOf(one) === keyOf(which));
}

const kindOfState = { reachable: 'good', failing: 'warn', 'backing off': 'bad', paused: 'warn', untried: '' };

/**
 * The IMAP servers.
 * @param {{ pause(which: object): void, resume(which: object): void, reconnect(which: object): void }} does
 * @param {() => object[]} pausedNow
 */
export function serverTable(does, pausedNow) {
  const deedsOf = ({ name }) => {
    const which = { server: name };
    const verb = isPaused(pausedNow(), which) ? 'Resume' : 'Pause';
    const change = verb === 'Pause' ? does.pause : does.resume;
    return [
      [`${verb}…`, `${verb} server ${name}`, () => change(which), 'quiet'],
      ['Reconnect…', `Reconnect server ${name}`, () => does.reconnect(which), 'quiet'],
    ];
  };
  return new Table(
    byId('servers'),
    'servers-title',
    [
      { title: 'Server', of: ({ name }) => name },
      { title: 'State', of: ({ state }) => badge(state, kindOfState[state]) },
      { title: 'Failures in a row', number: true, of: ({ failures }) => number(failures) },
      {
        title: 'Next try in',
        number: true,
        of: ({ state, retryAfterMs }) => (state === 'backing off' ? span(retryAfterMs) : '–'),
      },
      {
        title: 'Connections',
        number: true,
        of: (row) => `${number(row.connections)} of ${number(row.connectionLimit)}`,
      },
      { title: 'Accounts', number: true, of: ({ accounts }) => number(accounts) },
      { title: 'Waiting', number: true, of: ({ waiting }) => number(waiting) },
      { title: 'Actions', deeds: true, of: (row, before) => buttons(before, deedsOf(row)) },
    ],
    'There is no server.',
  );
}

/** Errors that the broker or an IMAP server is the cause of; the others are refusals that a caller has earned. */
const GRAVE = new Set([
  'INTERNAL',
  'POOL_EXHAUSTED',
  'UPSTREAM_UNAVAILABLE',
  'CONNECTION_LOST',
  'DEADLINE',
  'STREAM_STALLED',
  'INVALID_CONFIG',
]);

/** The kind of an error. */
export function errorBadge(kind) {
  return badge(kind, GRAVE.has(kind) ? 'bad' : 'warn');
}

/** A percentile of an account's last requests. */
const took = (percentile) => ({
  title: percentile,
  number: true,
  minor: percentile !== 'p95',
  of: ({ latencyMs }) => (latencyMs ? span(latencyMs[percentile]) : '–'),
});

/** The accounts in use. @param {(account: object) => void} onOpen */
export function accountTable(onOpen) {
  return new Table(
    byId('accounts'),
    'accounts-title',
    [
      {
        title: 'Login name',
        of: (row, before) => person(before, row, `Show ${whose(row)}`, () => onOpen(namesOf(row))),
      },
      { title: 'State', of: ({ paused }) => (paused ? badge('paused', 'warn') : badge('running', 'plain')) },
      { title: 'Requests/s', number: true, of: ({ perSecond }) => number(perSecond) },
      ...['p50', 'p95', 'p99'].map(took),
      { title: 'Connections', number: true, minor: true, of: (row) => number(row.idle + row.busy + row.watching) },
      { title: 'Busy', number: true, of: ({ busy }) => number(busy) },
      { title: 'Waiting', number: true, of: ({ waiting }) => number(waiting) },
      {
        title: 'Longest wait',
        number: true,
        minor: true,
        of: (row) => (row.waiting === 0 ? '–' : span(row.longestWaitMs)),
      },
      { title: 'Sessions', number: true, minor: true, of: ({ sessions }) => number(sessions) },
      { title: 'Watches', number: true, minor: true, of: ({ watches }) => number(watches) },
      { title: 'Memory', number: true, minor: true, of: ({ viewBytes }) => bytes(viewBytes) },
    ],
    'No account is in use.',
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
      { title: 'Outcome', of: ({ outcome }) => (outcome === 'ok' ? badge('ok', 'plain') : errorBadge(outcome)) },
      {
        title: 'Account',
        of: (row, before) =>
          row.user === null ? row.tenant : person(before, row, `Show ${whose(row)}`, () => onOpen(namesOf(row))),
      },
      { title: 'Source', minor: true, of: ({ source }) => source ?? '–' },
      { title: 'Answered at', number: true, of: ({ answeredAt }) => clock(answeredAt) },
    ],
    'No request was answered.',
  );
}

/** The WebSockets. @param {(socket: object) => void} onKick */
export function socketTable(onKick) {
  return new Table(
    byId('sockets'),
    'sockets-title',
    [
      { title: 'Socket', of: ({ id }) => id },
      { title: 'Application', of: ({ tenant }) => tenant },
      { title: 'From', of: ({ peer }) => peer },
      { title: 'Age', number: true, of: ({ ageMs }) => span(ageMs) },
      { title: 'Running', number: true, of: ({ running }) => number(running) },
      { title: 'Answered', number: true, of: ({ served }) => number(served) },
      { title: 'Streams', number: true, minor: true, of: ({ streams }) => number(streams) },
      { title: 'Watches', number: true, minor: true, of: ({ watches }) => number(watches) },
      { title: 'To be sent', number: true, minor: true, of: ({ bufferedBytes }) => bytes(bufferedBytes) },
      {
        title: 'Actions',
        deeds: true,
        of: (row, before) => button(before, 'Kick…', `Kick socket ${row.id}`, () => onKick(row), 'quiet danger'),
      },
    ],
    'No socket is open.',
  );
}

export function connectionTable() {
  return new Table(
    byId('connections'),
    'connections-title',
    [
      { title: 'Connection', of: ({ id }) => id },
      { title: 'State', of: ({ state }) => badge(state, state === 'busy' ? 'busy' : '') },
      { title: 'Folder', of: ({ mailbox }) => mailbox ?? '–' },
      { title: 'Age', number: true, of: ({ ageMs }) => span(ageMs) },
      { title: 'Idle for', number: true, of: ({ state, idleMs }) => (state === 'idle' ? span(idleMs) : '–') },
      { title: 'Served', number: true, of: ({ served }) => number(served) },
      { title: 'Sent', number: true, minor: true, of: ({ sentBytes }) => bytes(sentBytes) },
      { title: 'Received', number: true, minor: true, of: ({ receivedBytes }) => bytes(receivedBytes) },
    ],
    'The account has no connection.',
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
    'No request waits.',
  );
}

/** @param {(session: object) => void} onEnd */
export function sessionTable(onEnd) {
  return new Table(
    byId('sessions'),
    'sessions-title',
    [
      { title: 'Session', of: ({ id }) => id },
      { title: 'Opened', number: true, of: ({ openedAt }) => moment(openedAt) },
      { title: 'Expires', number: true, of: ({ expiresAt }) => moment(expiresAt) },
      {
        title: 'Actions',
        deeds: true,
        of: (row, before) => button(before, 'End…', `End session ${row.id}`, () => onEnd(row), 'quiet danger'),
      },
    ],
    'No session was used here.',
  );
}

export function watchTable() {
  return new Table(
    byId('watches'),
    'watches-title',
    [
      { title: 'Folders', of: ({ mailboxes }) => mailboxes.map(visible).join(', ') },
      { title: 'State', of: ({ alive }) => (alive ? badge('alive', 'good') : badge('late', 'warn')) },
      { title: 'Told to', number: true, of: ({ sockets }) => counted(sockets, 'socket') },
      { title: 'Events', number: true, of: ({ seq }) => number(seq) },
    ],
    'No folder is watched.',
  );
}
