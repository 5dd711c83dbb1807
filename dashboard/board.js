import { deeds, doDeed } from './deeds.js';
import { Figures } from './figures.js';
import { accountTable, connectionTable, isPaused, keyOf, serverTable, slowestTable, waitingTable } from './lists.js';
import { leftOf, number, span, whose } from './words.js';

const ACCOUNTS = 25;
/** Milliseconds that the page says what came of something. */
const SAID_MS = 30_000;
const PROGRAM = 'imap-broker';
const byId = (id) => document.getElementById(id);

/** What the page shows of the broker, and the buttons that do something to it. */
export class Board {
  #call;
  #paused = [];
  #draining = false;
  #saidTimer;
  /** The account that is looked at closely. */
  #account;
  /** What had the focus before. */
  #opener;
  #figures = new Figures();
  #servers = serverTable(
    (which, paused) => this.#do(paused ? deeds.resume(which) : deeds.pause(which)),
    () => this.#paused,
  );
  #accounts = accountTable((account) => this.#open(account));
  #connections = connectionTable();
  #waiting = waitingTable();
  #slowest = slowestTable((account) => this.#open(account));

  /** @param {(method: string, params?: object) => Promise<object>} call asks the broker */
  constructor(call) {
    this.#call = call;
    byId('pause-all').onclick = () => this.#togglePause({});
    byId('drain').onclick = () => this.#do(deeds.drain());
    byId('pause-account').onclick = () => this.#togglePause(this.#account);
    byId('kick-account').onclick = () => this.#do(deeds.kick(this.#account));
    byId('close-account').onclick = () => {
      this.#close();
      (this.#opener?.isConnected ? this.#opener : byId('accounts-title')).focus();
    };
    byId('sort').onchange = () => this.refresh();
    byId('user').oninput = () => this.refresh();
    byId('choose').onsubmit = (event) => event.preventDefault();
  }

  /** Asks the broker for everything that is shown, and shows it. Rejects when the link is lost. */
  async refresh() {
    const user = byId('user').value;
    const which = { sort: byId('sort').value, limit: ACCOUNTS, ...(user === '' ? {} : { user }) };
    const [status, { servers }, accounts, { requests }] = await Promise.all([
      this.#call('broker.status'),
      this.#call('server.list'),
      this.#call('account.list', which),
      this.#call('request.slowest'),
      this.#refreshAccount(),
    ]);
    this.#draining = status.state === 'draining';
    if (this.#draining) this.#say(`Draining: ${leftOf(await this.#call('broker.remaining'))}.`);
    this.#paused = status.paused;
    this.#about(status);
    this.#figures.draw(status);
    this.#servers.draw(servers, ({ name }) => name);
    this.#accounts.says(user === '' ? 'No account is in use.' : 'No account in use has this login name.');
    this.#accounts.draw(accounts.accounts, keyOf);
    byId('more').textContent =
      accounts.nextOffset === null
        ? ''
        : `${number(accounts.total - ACCOUNTS)} more: find one by its whole login name.`;
    this.#slowest.draw(requests, (row) => `${row.answeredAt} ${row.method} ${row.ms} ${keyOf(row)}`);
  }

  /** Forgets what it showed. */
  clear() {
    this.#figures.clear();
    this.#close();
    this.#draining = false;
    this.#say('');
    byId('name').textContent = '';
    byId('about').textContent = '';
    document.title = PROGRAM;
  }

  /** The link was lost, which a drain ends with. */
  lost() {
    if (this.#draining) this.#say('The broker was drained and has ended.');
    this.#draining = false;
  }

  #about({ name, version, state, uptimeMs, paused }) {
    const pauses = paused.length === 0 ? '' : `; paused: ${paused.map(whose).join(', ')}`;
    // Of several brokers each has a page like this: the tab says whose page it is.
    document.title = `${name} – ${PROGRAM}`;
    byId('name').textContent = name;
    byId('about').textContent = `${version}, ${state} for ${span(uptimeMs)}${pauses}`;
    byId('pause-all').textContent = isPaused(paused, {}) ? 'Resume all' : 'Pause all';
    byId('drain').disabled = state === 'draining';
    if (this.#account) byId('pause-account').textContent = isPaused(paused, this.#account) ? 'Resume' : 'Pause';
  }

  async #refreshAccount() {
    const account = this.#account;
    if (!account) return;
    const [{ connections }, waiting] = await Promise.all([
      this.#call('connection.list', account),
      this.#call('request.waiting', account).catch(notFound),
    ]);
    // Another one may have been chosen meanwhile.
    if (account !== this.#account) return;
    byId('account-gone').textContent = waiting ? '' : 'It is not in use now.';
    byId('kick-account').disabled = !waiting;
    this.#connections.draw(connections, ({ id }) => id);
    this.#waiting.draw(waiting?.requests ?? [], ({ method, waitedMs }) => `${method} ${waitedMs}`);
  }

  #open(account) {
    this.#account = account;
    this.#opener = document.activeElement;
    byId('account-title').textContent = `Account ${whose(account)}`;
    byId('account').hidden = false;
    byId('account-title').focus();
    this.#refreshSoon();
  }

  #close() {
    this.#account = undefined;
    byId('account').hidden = true;
  }

  #togglePause(which) {
    return this.#do(isPaused(this.#paused, which) ? deeds.resume(which) : deeds.pause(which));
  }

  async #do(deed) {
    await doDeed(deed, this.#call, (text) => this.#say(text));
    this.#refreshSoon();
  }

  /** The link's owner notices when it is lost. */
  #refreshSoon() {
    this.refresh().catch(() => {});
  }

  #say(text) {
    clearTimeout(this.#saidTimer);
    this.#saidTimer = setTimeout(() => this.#say(''), SAID_MS);
    byId('said').textContent = text;
  }
}

function notFound(error) {
  if (error.kind === 'NOT_FOUND') return undefined;
  throw error;
}
