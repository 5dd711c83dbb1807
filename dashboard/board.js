import { deeds, doDeed } from './deeds.js';
import { Drawer } from './drawer.js';
import { History } from './history.js';
import { accountTable, isPaused, keyOf, serverTable, slowestTable, socketTable } from './lists.js';
import { makeMenu } from './menu.js';
import { Notices } from './notices.js';
import { Overview } from './overview.js';
import { setText } from './table.js';
import { Views } from './views.js';
import { leftOf, number, span, visible, whose } from './words.js';

/** Rows of a long list at first, and how many more a press of the button shows; fewer where the window is narrow. */
const ROWS = matchMedia('(max-width: 760px)').matches ? 10 : 25;
const MOST_ROWS = 1_000;
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
  /** Counts refreshes: an answer that a younger one has overtaken is not drawn. */
  #turn = 0;
  #rows = { accounts: ROWS, sockets: ROWS };
  #overview = new Overview();
  #notices = new Notices(byId('notices'));
  #servers = serverTable(
    {
      pause: (which) => this.#do(deeds.pause(which)),
      resume: (which) => this.#do(deeds.resume(which)),
      reconnect: (which) => this.#do(deeds.reconnect(which)),
    },
    () => this.#paused,
  );
  #accounts = accountTable((account) => this.#drawer.open(account));
  #slowest = slowestTable((account) => this.#drawer.open(account));
  #sockets = socketTable((socket) => this.#do(deeds.kickSocket(socket)));
  #history;
  #drawer;
  #views;

  /** @param {(method: string, params?: object) => Promise<object>} call asks the broker */
  constructor(call) {
    this.#call = call;
    this.#history = new History(call);
    this.#drawer = new Drawer(
      call,
      (deed) => this.#do(deed),
      () => this.#refreshSoon(),
    );
    makeMenu();
    byId('pause-all').onclick = () => this.#do(isPaused(this.#paused, {}) ? deeds.resume({}) : deeds.pause({}));
    byId('reconnect-all').onclick = () => this.#do(deeds.reconnect({}));
    byId('drain').onclick = () => this.#do(deeds.drain());
    byId('sort').onchange = () => this.#refreshSoon();
    byId('user').oninput = () => this.#refreshSoon();
    byId('choose').onsubmit = (event) => event.preventDefault();
    for (const list of ['accounts', 'sockets']) {
      byId(`more-${list}`).onclick = () => {
        this.#rows[list] = Math.min(this.#rows[list] + ROWS, MOST_ROWS);
        this.#refreshSoon();
      };
    }
    this.#views = new Views(() => this.#refreshSoon());
  }

  /** Asks the broker for what is shown, and shows it. Rejects when the link is lost. */
  async refresh() {
    this.#turn += 1;
    const turn = this.#turn;
    const shown = {
      overview: () => this.#seeOverview(),
      accounts: () => this.#seeAccounts(),
      requests: () => this.#seeRequests(),
      sockets: () => this.#seeSockets(),
    }[this.#views.current];
    const [status, draw] = await Promise.all([this.#call('broker.status'), shown(), this.#drawer.refresh()]);
    const remaining = status.state === 'draining' ? await this.#call('broker.remaining') : undefined;
    if (turn !== this.#turn) return;
    this.#paused = status.paused;
    this.#draining = remaining !== undefined;
    this.#about(status);
    this.#notice(status, remaining);
    this.#drawer.knowsPaused(status.paused);
    draw(status);
  }

  /** Forgets what it showed. */
  clear() {
    this.#turn += 1;
    this.#drawer.close();
    this.#overview.clear();
    this.#history.forget();
    this.#notices.draw([]);
    for (const table of [this.#servers, this.#accounts, this.#slowest, this.#sockets]) table.draw([], String);
    this.#draining = false;
    this.#say('');
    byId('name').textContent = '';
    byId('about').textContent = '';
    byId('user').value = '';
    document.title = PROGRAM;
  }

  /** The link was lost, which a drain ends with. @param {string} text what is said of it */
  lost(text) {
    this.#say(this.#draining ? 'The broker was drained and has ended.' : '');
    // What is beside the drawer is not seen while it is open.
    if (!this.#draining) setText(byId('account-said'), text);
    this.#draining = false;
    this.#history.forget();
  }

  /** The link is back. */
  found() {
    setText(byId('account-said'), '');
  }

  /** The broker did not answer what is shown. */
  failed({ message }) {
    this.#say(visible(message));
  }

  async #seeOverview() {
    const [{ servers }, history] = await Promise.all([this.#call('server.list'), this.#history.figures()]);
    return (status) => {
      this.#overview.draw(status);
      this.#overview.drawHistory(history);
      this.#servers.draw(servers, ({ name }) => name);
    };
  }

  async #seeAccounts() {
    const user = byId('user').value;
    const limit = this.#rows.accounts;
    const which = { sort: byId('sort').value, limit, ...(user === '' ? {} : { user }) };
    const { accounts, total } = await this.#call('account.list', which);
    return () => {
      this.#accounts.says(user === '' ? 'No account is in use.' : 'No account in use has this login name.');
      this.#accounts.draw(accounts, keyOf);
      drawnOf('accounts', accounts.length, total);
    };
  }

  async #seeRequests() {
    const { requests } = await this.#call('request.slowest');
    return () =>
      this.#slowest.draw(requests.slice(0, ROWS), (row) => `${row.answeredAt} ${row.method} ${row.ms} ${keyOf(row)}`);
  }

  async #seeSockets() {
    const { sockets, total } = await this.#call('socket.list', { limit: this.#rows.sockets });
    return () => {
      this.#sockets.draw(sockets, ({ id }) => id);
      drawnOf('sockets', sockets.length, total);
    };
  }

  #about({ name, version, state, uptimeMs, paused }) {
    // Of several brokers each has a page like this: the tab says whose page it is.
    document.title = `${name} – ${PROGRAM}`;
    setText(byId('name'), visible(name));
    byId('name').title = name;
    setText(byId('about'), `${version} · ${state} for ${span(uptimeMs)}`);
    setText(byId('pause-all'), isPaused(paused, {}) ? 'Resume all requests…' : 'Pause all requests…');
    byId('drain').disabled = state === 'draining';
  }

  #notice({ paused, shared, servers }, remaining) {
    const all = paused.map((which) => ({
      key: `paused ${keyOf(which)}`,
      kind: 'warn',
      text: `Paused: ${whose(which)}. Requests wait.`,
      deed: ['Resume…', `Resume ${whose(which)}`, () => this.#do(deeds.resume(which))],
    }));
    for (const { name, state } of servers) {
      if (state === 'backing off')
        all.push({ key: `server ${name}`, kind: 'bad', text: `The broker backs off from the IMAP server ${name}.` });
    }
    if (shared === 'down') all.push({ key: 'shared', kind: 'bad', text: 'The shared store cannot be reached.' });
    if (remaining) all.push({ key: 'drain', kind: 'bad', text: `Draining: ${leftOf(remaining)}.` });
    this.#notices.draw(all);
  }

  async #do(deed) {
    await doDeed(deed, this.#call, (text) => this.#say(text));
    this.#refreshSoon();
  }

  /** The link's owner notices when it is lost. */
  #refreshSoon() {
    this.refresh().catch(() => {});
  }

  /** In the drawer as well: what is beside it is not heard while it is open. */
  #say(text) {
    clearTimeout(this.#saidTimer);
    if (text !== '') this.#saidTimer = setTimeout(() => this.#say(''), SAID_MS);
    for (const place of ['said', 'account-said']) setText(byId(place), text);
  }
}

/** How many of a long list are shown, and the button for more. */
function drawnOf(list, shown, total) {
  setText(byId(`${list}-count`), number(total));
  const more = byId(`more-${list}`);
  more.hidden = shown >= total || shown >= MOST_ROWS;
  setText(more, `Show more: ${number(shown)} of ${number(total)} are here`);
}
