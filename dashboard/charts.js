import uPlot from '/dashboard/uplot.js';
import { element } from './table.js';
import { clock } from './words.js';

/** Seconds that a chart shows, and least seconds where the broker has just started. */
const SPAN_S = 3_600;
const LEAST_S = 300;
/** Pixels of the letters. */
const LETTERS = 11;
/** Pixels at the edges in which no time fits. */
const EDGE = 16;
/** Pixels above the chart, for the label of the topmost line. */
const ABOVE = 16;

/** A card: figures of now, each with the colour of its line, and below them the last hour. */
export class ChartCard {
  #values = [];
  #lines;
  #format;
  #when = element('span', { class: 'aside' });
  #place;
  #plot;
  #data = [];
  #now = [];

  /**
   * @param {HTMLElement} into
   * @param {{ title: string, label: string, lines: { name: string, colour: string, over?: string }[], format: (value: number | null) => string }} card
   * label: for those who do not see the chart; colour: a property of the style; over: the kind of a figure above 0
   */
  constructor(into, { title, label, lines, format }) {
    this.#lines = lines;
    this.#format = format;
    const stats = lines.map(({ name, colour }) => {
      const value = element('dd');
      this.#values.push(value);
      const dot = element('span', { class: `dot ${colour}` });
      return element('div', {}, element('dt', {}, dot, name), value);
    });
    this.#place = element('div', { class: 'plot', role: 'img', 'aria-label': label });
    const head = element('div', { class: 'title' }, element('h3', {}, title), this.#when);
    into.append(
      element('div', { class: 'panel chart' }, head, element('dl', { class: 'stats' }, ...stats), this.#place),
    );
    new ResizeObserver(() => this.#resize()).observe(this.#place);
    matchMedia('(prefers-color-scheme: dark)').addEventListener('change', () => this.#make());
  }

  /** The figures of now, one for each line. @param {(number | null)[]} values */
  now(values) {
    this.#now = values;
    if (this.#plot?.cursor.idx == null) this.#show(values, '');
  }

  /** The last hour: seconds since 1970, and the figures of each line at each of them. */
  past(times, columns) {
    this.#data = [times, ...columns];
    if (this.#plot) this.#plot.setData(this.#data);
    else this.#make();
  }

  /** Forgets what it showed. */
  clear() {
    this.#plot?.destroy();
    this.#plot = undefined;
    this.#data = [];
    this.now(this.#lines.map(() => null));
  }

  #show(values, when) {
    this.#when.textContent = when;
    for (const [at, { over = '' }] of this.#lines.entries()) {
      this.#values[at].textContent = this.#format(values[at] ?? null);
      this.#values[at].className = values[at] > 0 ? over : '';
    }
  }

  #resize() {
    const { clientWidth: width, clientHeight: height } = this.#place;
    if (width === 0) return;
    if (this.#plot) this.#plot.setSize({ width, height });
    else this.#make();
  }

  #make() {
    this.#plot?.destroy();
    this.#plot = undefined;
    const { clientWidth: width, clientHeight: height } = this.#place;
    // A chart that is not seen has no size; it is made when it has one, and when there are figures.
    if (width === 0 || !this.#data[0]?.length) return;
    const style = getComputedStyle(document.documentElement);
    const colour = (name) => style.getPropertyValue(`--${name}`).trim();
    const lines = this.#lines.map((line, at) => ({
      stroke: colour(line.colour),
      width: 1.5,
      fill: at === 0 ? `${colour(line.colour)}1f` : undefined,
      points: { show: true, size: 4, fill: colour(line.colour), filter: lonely },
    }));
    const { fontFamily } = getComputedStyle(document.body);
    const axis = { stroke: colour('quiet'), font: `${LETTERS}px ${fontFamily}`, ticks: { show: false } };
    const grid = { stroke: colour('line'), width: 1 };
    const options = {
      width,
      height,
      padding: [ABOVE, 0, 0, 0],
      legend: { show: false },
      cursor: { y: false, drag: { x: false, y: false }, points: { size: 6 }, sync: { key: 'last hour' } },
      scales: { x: { range: shownTimes }, y: { range: (_plot, _least, most) => [0, roundAbove(most ?? 0)] } },
      series: [{}, ...lines],
      axes: [
        { ...axis, grid: { show: false }, size: 17, gap: 3, space: 60, values: hours },
        { ...axis, grid, size: 0, splits: (_plot, _axis, least, most) => [least, most / 2, most], values: () => [] },
      ],
      hooks: {
        draw: [(plot) => this.#label(plot, colour, fontFamily)],
        setCursor: [({ cursor: { idx } }) => this.#pointedAt(idx)],
      },
    };
    this.#plot = new uPlot(options, this.#data, this.#place);
  }

  /** Writes what a line of the grid stands for above that line, where no room is taken from the chart. */
  #label({ ctx, bbox, scales, valToPos }, colour, fontFamily) {
    const { max } = scales.y;
    const ratio = devicePixelRatio;
    ctx.save();
    ctx.font = `${LETTERS * ratio}px ${fontFamily}`;
    ctx.textBaseline = 'bottom';
    ctx.textAlign = 'left';
    ctx.lineJoin = 'round';
    ctx.lineWidth = 3 * ratio;
    ctx.strokeStyle = colour('card');
    ctx.fillStyle = colour('quiet');
    for (const value of [max / 2, max]) {
      const text = this.#format(value);
      const at = [bbox.left, valToPos(value, 'y', true) - 2 * ratio];
      ctx.strokeText(text, ...at);
      ctx.fillText(text, ...at);
    }
    ctx.restore();
  }

  /** Shows the figures of the time that the pointer is at, on any of the charts. */
  #pointedAt(index) {
    if (index == null) this.#show(this.#now, '');
    else
      this.#show(
        this.#lines.map((_line, at) => this.#data[at + 1][index]),
        `at ${clock(this.#data[0][index] * 1000)}`,
      );
  }
}

/** The hour up to the last figure; less where there is less. */
function shownTimes(_plot, first, last) {
  if (first == null) return [Date.now() / 1000 - LEAST_S, Date.now() / 1000];
  return [Math.max(last - SPAN_S, Math.min(first, last - LEAST_S)), last];
}

/** A figure above, whose half is a round figure as well. */
function roundAbove(most) {
  const least = Math.max(most * 1.05, 1);
  const power = 10 ** Math.floor(Math.log10(least));
  return power * [1, 2, 4, 6, 8, 10].find((step) => step * power >= least);
}

/** Figures with none beside them, of which a line alone would show nothing. */
function lonely({ data }, line) {
  const values = data[line];
  const found = [];
  values.forEach((value, at) => {
    if (value != null && values[at - 1] == null && values[at + 1] == null) found.push(at);
  });
  return found;
}

/** The times below a chart, but for those that its edges would cut. */
function hours(plot, times) {
  return times.map((time) => {
    const at = plot.valToPos(time, 'x');
    if (at < EDGE || at > plot.bbox.width / devicePixelRatio - EDGE) return '';
    return new Date(time * 1000).toLocaleTimeString('en', { hour: '2-digit', minute: '2-digit', hourCycle: 'h23' });
  });
}
