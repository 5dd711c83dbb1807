import { deeds } from './deeds.js';
import { connectionTable, isPaused, sessionTable, waitingTable, watchTable } from './lists.js';
import { element, setText } from './table.js';
import { bytes, number, span, visible } from './words.js';

/** Most connections and sessions that are listed of one account. */
const MOST = 50;
const byId = (id) => document.getElementById(id);
const drawer = byId('account');

const figures = [
  ['Requests a second', ({ perSecond }) => number(perSecond)],
  ...['p50', 'p95', 'p99'].map((name) => [name, ({ latencyMs }) => (latencyMs ? span(latencyMs[name]) : '–')]),
  ['Memory', ({ viewBytes }) => bytes(viewBytes)],
];

/** One account, looked at closely. The browser keeps the focus within, and gives it back when the drawer closes. */
export class Drawer {
  #call;
  #onOpen;
  #account;
  #paused = [];
  #connections = connectionTable();
  #waiting = waitingTable();
  #watches = watchTable();
  #sessions;
  #values = figures.map(([title]) => {
    const value = element('dd', {}, '–');
    byId('account-figures').append(element('div', {}, element('dt', {}, title), value));
    return value;
  });

  /**
   * @param {(method: string, params?: object) => Promise<object>} call asks the broker
   * @param {(deed: object) => void} onDeed
   * @param {() => void} onOpen called when another account is shown
   */
  constructor(call, onDeed, onOpen) {
    this.#call = call;
    this.#onOpen = onOpen;
    this.#sessions = sessionTable((session) => onDeed(deeds.endSession(session)));
    byId('pause-account').onclick = () => {
      const change = isPaused(this.#paused, this.#account) ? deeds.resume : deeds.pause;
      onDeed(change(this.#account));
    };
    byId('reconnect-account').onclick = () => onDeed(deeds.reconnect(this.#account));
    byId('kick-account').onclick = () => onDeed(deeds.kick(this.#account));
    byId('close-account').onclick = () => drawer.close();
    // What is beside the drawer is the drawer's own backdrop.
    drawer.onclick = ({ target, clientX }) => {
      if (target === drawer && clientX < drawer.getBoundingClientRect().left) drawer.close();
    };
    drawer.onclose = () => this.#closed();
  }

  open(account) {
    this.#account = account;
    byId('account-title').textContent = visible(account.user);
    this.#about('');
    for (const value of this.#values) value.textContent = '–';
    for (const table of [this.#connections, this.#waiting, this.#watches, this.#sessions]) table.draw([], String);
    for (const list of ['connections', 'sessions']) byId(`${list}-count`).textContent = '';
    drawer.showModal();
    drawer.scrollTop = 0;
    byId('account-title').focus();
    this.#onOpen();
  }

  close() {
    drawer.close();
  }

  /** Asks the broker for what is shown, and shows it. */
  async refresh() {
    const account = this.#account;
    if (!account) return;
    const some = { ...account, limit: MOST };
    const [{ accounts }, connected, waiting, opened, { watches }] = await Promise.all([
      this.#call('account.list', { ...account, limit: 1 }),
      this.#call('connection.list', some),
      this.#call('request.waiting', account).catch(notFound),
      this.#call('session.list', some),
      this.#call('watch.list', some),
    ]);
    // Another one may have been chosen meanwhile.
    if (account !== this.#account) return;
    const [now] = accounts;
    this.#about(now === undefined ? 'not in use now' : now.paused ? 'paused' : 'running');
    for (const [at, [, of]] of figures.entries()) if (now) setText(this.#values[at], of(now));
    this.#connections.draw(connected.connections, ({ id }) => id);
    this.#sessions.draw(opened.sessions, ({ id }) => id);
    setText(byId('connections-count'), countOf(connected.connections, connected.total));
    setText(byId('sessions-count'), countOf(opened.sessions, opened.total));
    this.#waiting.draw(waiting?.requests ?? [], ({ method, waitedMs }) => `${method} ${waitedMs}`);
    this.#watches.draw(watches, ({ tenant }) => tenant);
  }

  /** @param {object[]} paused what is paused now */
  knowsPaused(paused) {
    this.#paused = paused;
    if (!this.#account) return;
    setText(byId('pause-account'), isPaused(paused, this.#account) ? 'Resume…' : 'Pause…');
  }

  #about(state) {
    const { tenant, server } = this.#account;
    setText(byId('account-about'), [visible(tenant), server && visible(server), state].filter(Boolean).join(' · '));
  }

  #closed() {
    this.#account = undefined;
    byId('account-said').textContent = '';
    // The row that it was opened from may be gone: then the focus is still in here, or nowhere.
    const { activeElement } = document;
    if (activeElement === document.body || drawer.contains(activeElement))
      document.querySelector('[data-view]:not([hidden]) h2').focus();
  }
}

/** How many there are of what a list has the first of. */
function countOf({ length }, total) {
  return length < total ? `${number(length)} of ${number(total)}` : number(total);
}

function notFound(error) {
  if (error.kind === 'NOT_FOUND') return undefined;
  throw error;
}
