import { Chart } from './charts.js';
import { badge, element, Table } from './table.js';
import { bytes, number, span } from './words.js';

const byId = (id) => document.getElementById(id);

const figures = [
  ['Requests a second', ({ requests }) => number(requests.perSecond)],
  ['Running', ({ requests }) => number(requests.running)],
  ['Waiting', ({ requests }) => number(requests.waiting)],
  ['Half took at most', ({ requests }) => latency(requests, 'p50')],
  ['95 % took at most', ({ requests }) => latency(requests, 'p95')],
  ['99 % took at most', ({ requests }) => latency(requests, 'p99')],
  ['Event loop late by', ({ eventLoopLagMs }) => span(eventLoopLagMs)],
  ['Memory', ({ residentBytes }) => bytes(residentBytes)],
  ['Errors in 5 min', ({ errors }) => number(errors.reduce((sum, { count }) => sum + count, 0))],
];

/** The part of the page that says how busy the broker is. */
export class Figures {
  #values = figures.map(([title]) => {
    const value = element('dd');
    byId('figures').append(element('div', {}, element('dt', {}, title), value));
    return value;
  });
  #rate = new Chart(byId('chart-rate'), ['requests'], 'Chart: requests a second, averaged over a minute');
  #latency = new Chart(
    byId('chart-latency'),
    ['50 %', '95 %', '99 %'],
    'Chart: latency percentiles of the last minute',
  );
  #running = new Chart(byId('chart-running'), ['running', 'waiting'], 'Chart: running and waiting requests');
  #caps = new Table(
    byId('caps'),
    'caps-title',
    [
      { title: 'What', of: ({ name }) => name },
      { title: 'Used', number: true, of: ({ name, used }) => amount(name, used) },
      { title: 'Limit', number: true, of: ({ name, limit }) => (limit === null ? 'none' : amount(name, limit)) },
      { title: 'Full', of: fullness },
    ],
    '',
  );
  #errors = new Table(
    byId('errors'),
    'errors-title',
    [
      { title: 'Kind', of: ({ kind }) => kind },
      { title: 'Count', number: true, of: ({ count }) => number(count) },
    ],
    'None.',
  );

  draw(status) {
    const { requests, caps, errors } = status;
    figures.forEach(([, of], at) => {
      this.#values[at].textContent = of(status);
    });
    const { p50 = null, p95 = null, p99 = null } = requests.latencyMs ?? {};
    this.#rate.add([requests.perSecond]);
    this.#latency.add([p50, p95, p99]);
    this.#running.add([requests.running, requests.waiting]);
    this.#caps.draw(caps, ({ name }) => name);
    this.#errors.draw(errors, ({ kind }) => kind);
  }

  /** Forgets what the charts show. */
  clear() {
    for (const chart of [this.#rate, this.#latency, this.#running]) chart.clear();
  }
}

function latency({ latencyMs }, percentile) {
  return latencyMs ? span(latencyMs[percentile]) : '–';
}

function amount(name, value) {
  return name === 'view bytes' ? bytes(value) : number(value);
}

function fullness({ used, limit }) {
  if (!limit) return '';
  const share = Math.round((used / limit) * 100);
  return badge(`${share} %`, share >= 90 ? 'bad' : share >= 70 ? 'warn' : 'good');
}
