import { Board } from './board.js';
import { unasked } from './confirm.js';
import { Link } from './link.js';
import { setText } from './table.js';
import { clock } from './words.js';

const EVERY_MS = 2_000;
/** Milliseconds between attempts to come back, the last again and again. */
const RETRY_MS = [500, 1_000, 2_000, 5_000];

const byId = (id) => document.getElementById(id);

/** The token is nowhere but here. */
let token;
let link;
let timer;
/** The next attempt to come back. */
let retry;
/** What is said while the link is lost. */
let lostAt = '';

const board = new Board((method, params) => link?.call(method, params) ?? Promise.reject(new Error('not logged in')));

byId('log-in').addEventListener('submit', async (event) => {
  event.preventDefault();
  const field = byId('token');
  byId('log-in-error').textContent = '';
  byId('enter').disabled = true;
  try {
    link = await Link.open(field.value, lost);
    token = field.value;
    field.value = '';
    show(true);
  } catch {
    byId('log-in-error').textContent = await whyNot();
    field.focus();
  } finally {
    byId('enter').disabled = false;
  }
});

byId('log-out').addEventListener('click', () => {
  const open = link;
  end();
  open?.close();
  byId('token').focus();
});

// What is not seen is not asked for.
document.addEventListener('visibilitychange', () => {
  clearTimeout(timer);
  if (link && !document.hidden) void round();
});

/** A browser does not tell a page why a WebSocket was refused. */
async function whyNot() {
  const reached = await fetch('/healthz').then(
    ({ ok }) => ok,
    () => false,
  );
  return reached
    ? 'The broker refused the token: it is unknown, or its tenant has not the scope admin. Or a proxy in between does not pass on Host and WebSockets.'
    : 'The broker cannot be reached.';
}

function show(loggedIn) {
  byId('entry').hidden = loggedIn;
  for (const id of ['board', 'views', 'menu-open']) byId(id).hidden = !loggedIn;
  tell(loggedIn ? 'Live' : '', loggedIn ? 'live' : '');
  if (loggedIn) void round();
}

/** Shows what is, again and again until the link is lost or the page is hidden. */
async function round() {
  clearTimeout(timer);
  const mine = link;
  await board.refresh().catch((error) => (link === mine ? board.failed(error) : undefined));
  if (link !== mine || !link || document.hidden) return;
  clearTimeout(timer);
  timer = setTimeout(round, EVERY_MS);
}

function tell(text, kind) {
  setText(byId('link'), text);
  byId('link').className = kind;
}

function lost() {
  if (token === undefined) return;
  clearTimeout(timer);
  link = undefined;
  unasked();
  lostAt = `The connection was lost at ${clock(Date.now())}; trying again.`;
  board.lost(lostAt);
  tell(lostAt, 'lost');
  comeBackSoon(0);
}

function comeBackSoon(attempt) {
  clearTimeout(retry);
  retry = setTimeout(() => comeBack(attempt), RETRY_MS[Math.min(attempt, RETRY_MS.length - 1)]);
}

async function comeBack(attempt) {
  // Meanwhile the operator may log out, and in again.
  const needless = () => token === undefined || link !== undefined;
  try {
    const open = await Link.open(token, lost);
    if (needless()) open.close();
    else {
      link = open;
      board.found();
      show(true);
    }
  } catch {
    const why = await whyNot();
    if (needless()) return;
    tell(`${lostAt} ${why}`, 'lost');
    comeBackSoon(attempt + 1);
  }
}

/** Forgets the token and everything that was shown. */
function end() {
  clearTimeout(timer);
  clearTimeout(retry);
  token = undefined;
  link = undefined;
  unasked();
  board.clear();
  show(false);
}
