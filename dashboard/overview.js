import { ChartCard } from './charts.js';
import { errorBadge } from './lists.js';
import { element, Table } from './table.js';
import { bytes, number, span } from './words.js';

const byId = (id) => document.getElementById(id);
const SECONDS = 60;
/** What caps are called here, where the method has a name of its own. */
const CALLED = { 'view bytes': 'mail in memory' };

const ifAny = (format) => (value) => (value === null ? '–' : format(value));

/** The part of the page that says how busy the broker is. */
export class Overview {
  /** What the charts show. */
  #history;
  #rate = new ChartCard(byId('charts'), {
    title: 'Requests a second',
    label: 'Chart: requests a second of the last hour',
    lines: [{ name: 'answered', colour: 'chart-1' }],
    format: ifAny(number),
  });
  #latency = new ChartCard(byId('charts'), {
    title: 'Latency',
    label: 'Chart: latency percentiles of the last hour',
    lines: ['p50', 'p95', 'p99'].map((name, at) => ({ name, colour: `chart-${at + 1}` })),
    format: ifAny(span),
  });
  #load = new ChartCard(byId('charts'), {
    title: 'Unanswered requests',
    label: 'Chart: running and waiting requests of the last hour',
    lines: [
      { name: 'running', colour: 'chart-1' },
      { name: 'waiting', colour: 'chart-2', over: 'warn' },
    ],
    format: ifAny(number),
  });
  #failed = new ChartCard(byId('charts'), {
    title: 'Errors a minute',
    label: 'Chart: errors a minute of the last hour',
    lines: [{ name: 'answered with an error', colour: 'chart-3', over: 'bad' }],
    format: ifAny(number),
  });
  #errors = new Table(
    byId('errors'),
    'errors-title',
    [
      { title: 'Kind', of: ({ kind }) => errorBadge(kind) },
      { title: 'Application', of: ({ tenant }) => tenant },
      { title: 'Per minute', number: true, of: ({ perSecond }) => number(perSecond * SECONDS) },
      { title: 'Count', number: true, of: ({ count }) => number(count) },
    ],
    'No request was answered with an error.',
  );
  #caps = new Table(
    byId('caps'),
    'caps-title',
    [
      { title: 'What', of: ({ name }) => CALLED[name] ?? name },
      { title: 'Full', of: bar },
      { title: 'Used', number: true, of: used },
    ],
    '',
  );

  /** What is now. */
  draw({ requests, caps, errors, eventLoopLagMs, residentBytes }) {
    const { p50 = null, p95 = null, p99 = null } = requests.latencyMs ?? {};
    const failed = errors.reduce((sum, { perSecond }) => sum + perSecond, 0) * SECONDS;
    this.#rate.now([requests.perSecond]);
    this.#latency.now([p50, p95, p99]);
    this.#load.now([requests.running, requests.waiting]);
    this.#failed.now([failed]);
    this.#errors.draw(errors, ({ kind, tenant }) => `${kind} ${tenant}`);
    const process = [
      { name: 'process memory', shown: bytes(residentBytes) },
      { name: 'event loop late by', shown: span(eventLoopLagMs) },
    ];
    this.#caps.draw([...caps, ...process], ({ name }) => name);
  }

  /** What was in the last hour. */
  drawHistory(history) {
    if (history === this.#history) return;
    this.#history = history;
    const { times, requestsPerSecond, failedPerSecond, p50Ms, p95Ms, p99Ms, running, waiting } = history;
    this.#rate.past(times, [requestsPerSecond]);
    this.#latency.past(times, [p50Ms, p95Ms, p99Ms]);
    this.#load.past(times, [running, waiting]);
    this.#failed.past(times, [failedPerSecond.map((figure) => figure && figure * SECONDS)]);
  }

  /** Forgets what it showed. */
  clear() {
    this.#history = undefined;
    for (const chart of [this.#rate, this.#latency, this.#load, this.#failed]) chart.clear();
    this.#errors.draw([], String);
    this.#caps.draw([], String);
  }
}

function used({ name, used: value, limit, shown }) {
  if (shown !== undefined) return shown;
  const amount = name === 'view bytes' ? bytes : number;
  return limit === null ? amount(value) : `${amount(value)} of ${amount(limit)}`;
}

/** How full: a bar with its share in words. */
function bar({ used: value, limit }, before) {
  if (!limit) return '';
  const share = Math.round((value / limit) * 100);
  const kind = share >= 90 ? 'bad' : share >= 70 ? 'warn' : 'good';
  const made = before instanceof HTMLDivElement ? before : element('div', {}, element('i'), element('span'));
  made.className = `bar ${kind}`;
  made.firstChild.style.setProperty('--share', `${Math.min(share, 100)}%`);
  made.lastChild.textContent = `${share} %`;
  return made;
}
