import { Board } from './board.js';
import { unasked } from './confirm.js';
import { Link } from './link.js';

const EVERY_MS = 2_000;
/** Milliseconds between attempts to come back, the last again and again. */
const RETRY_MS = [500, 1_000, 2_000, 5_000];

const LOST = 'The connection was lost; trying again.';

const byId = (id) => document.getElementById(id);
const board = new Board((method, params) => link?.call(method, params) ?? Promise.reject(new Error('not logged in')));

/** The token is nowhere but here. */
let token;
let link;
let timer;

byId('log-in').addEventListener('submit', async (event) => {
  event.preventDefault();
  const field = byId('token');
  byId('log-in-error').textContent = '';
  try {
    link = await Link.open(field.value, lost);
    token = field.value;
    field.value = '';
    show(true);
  } catch {
    byId('log-in-error').textContent = await whyNot();
    field.focus();
  }
});

byId('log-out').addEventListener('click', () => {
  const open = link;
  end();
  open?.close();
  byId('token').focus();
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
  byId('board').hidden = !loggedIn;
  byId('deeds').hidden = !loggedIn;
  byId('link').textContent = loggedIn ? 'Live' : '';
  byId('link').className = loggedIn ? 'live' : '';
  if (loggedIn) void round();
}

/** Shows what is, again and again until the link is lost. */
async function round() {
  const { hidden } = document;
  const mine = link;
  // What nobody sees need not be asked for.
  if (!hidden) await board.refresh().catch((error) => (link === mine ? said(error) : undefined));
  if (link === mine && link) timer = setTimeout(round, EVERY_MS);
}

function said(error) {
  byId('said').textContent = error.message;
}

function lost() {
  if (token === undefined) return;
  clearTimeout(timer);
  link = undefined;
  unasked();
  board.lost();
  byId('link').textContent = LOST;
  byId('link').className = 'lost';
  void comeBack(0);
}

async function comeBack(attempt) {
  await new Promise((resolve) => setTimeout(resolve, RETRY_MS[Math.min(attempt, RETRY_MS.length - 1)]));
  if (token === undefined) return;
  try {
    link = await Link.open(token, lost);
    show(true);
  } catch {
    const why = await whyNot();
    if (token === undefined) return;
    byId('link').textContent = `${LOST} ${why}`;
    void comeBack(attempt + 1);
  }
}

/** Forgets the token and everything that was shown. */
function end() {
  clearTimeout(timer);
  token = undefined;
  link = undefined;
  unasked();
  board.clear();
  show(false);
}
