import uPlot from '/dashboard/uplot.js';

const HEIGHT = 150;
/** Samples that are kept: ten minutes of one every two seconds. */
const MOST = 300;

/** A chart of what happens now, on and on. Its newest figures are elsewhere on the page in words. */
export class Chart {
  #place;
  #names;
  #data;
  #plot;

  /** @param {HTMLElement} place @param {string[]} names of its lines @param {string} label for those who do not see it */
  constructor(place, names, label) {
    this.#place = place;
    this.#names = names;
    this.#data = [[], ...names.map(() => [])];
    place.setAttribute('role', 'img');
    place.setAttribute('aria-label', label);
    new ResizeObserver(() => this.#plot?.setSize({ width: place.clientWidth, height: HEIGHT })).observe(place);
    matchMedia('(prefers-color-scheme: dark)').addEventListener('change', () => this.#make());
  }

  /** @param {(number | null)[]} values one for each line */
  add(values) {
    [Date.now() / 1000, ...values].forEach((value, line) => {
      this.#data[line].push(value);
      if (this.#data[line].length > MOST) this.#data[line].shift();
    });
    if (this.#plot) this.#plot.setData(this.#data);
    else this.#make();
  }

  clear() {
    for (const line of this.#data) line.length = 0;
  }

  #make() {
    this.#plot?.destroy();
    const style = getComputedStyle(document.documentElement);
    const colour = (name) => style.getPropertyValue(name).trim();
    const axis = {
      stroke: colour('--quiet'),
      grid: { stroke: colour('--line'), width: 1 },
      ticks: { stroke: colour('--line'), width: 1 },
      font: '12px system-ui, sans-serif',
    };
    const lines = this.#names.map((label, at) => ({
      label,
      stroke: colour(`--chart-${at + 1}`),
      width: 2,
      points: { show: false },
    }));
    const options = {
      width: this.#place.clientWidth,
      height: HEIGHT,
      cursor: { show: false },
      legend: { show: this.#names.length > 1, live: false, markers: { width: 2 } },
      scales: { y: { range: (_plot, _least, most) => [0, Math.max(1, (most ?? 0) * 1.1)] } },
      series: [{}, ...lines],
      axes: [
        { ...axis, space: 90, values: (_plot, times) => times.map((time) => hours(time)) },
        { ...axis, size: 48 },
      ],
    };
    this.#plot = new uPlot(options, this.#data, this.#place);
  }
}

function hours(time) {
  return new Date(time * 1000).toLocaleTimeString('en', { hour12: false });
}
