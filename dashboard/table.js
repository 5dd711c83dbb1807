import { visible } from './words.js';

/** What cells say of nothing, which stands back. */
const NOTHING = new Set(['0', '0 B', '–']);

/**
 * A table that is drawn again and again: rows keep their elements, by key, so that the element with the focus keeps
 * it. On a narrow screen each row is a card; the roles are said because CSS takes them from a table drawn so.
 */
export class Table {
  #columns;
  #labelledBy;
  #body = element('tbody', { role: 'rowgroup' });
  #empty;
  #table;
  #rows = new Map();

  /**
   * @param {HTMLElement} place where it goes
   * @param {string} labelledBy id of its title
   * @param {{ title: string, of: (row: object, before: Node | null) => string | Node, number?: boolean, minor?: boolean, deeds?: boolean }[]} columns
   * minor: left out on a narrow screen; deeds: has buttons
   * @param {string} empty what is said where there are no rows
   */
  constructor(place, labelledBy, columns, empty) {
    this.#columns = columns;
    this.#labelledBy = labelledBy;
    const heads = columns.map((column) =>
      element('th', { role: 'columnheader', scope: 'col', class: classOf(column) }, column.title),
    );
    const head = element('thead', { role: 'rowgroup' }, element('tr', { role: 'row' }, ...heads));
    this.#table = element('table', { role: 'table', 'aria-labelledby': labelledBy }, head, this.#body);
    this.#empty = element('p', { class: 'empty' }, empty);
    place.replaceChildren(this.#table, this.#empty);
    this.draw([], String);
  }

  /** What is said where there are no rows. */
  says(empty) {
    this.#empty.textContent = empty;
  }

  /** Draws rows in their order. @param {(row: object) => string} keyOf tells them apart */
  draw(rows, keyOf) {
    this.#table.hidden = rows.length === 0;
    this.#empty.hidden = rows.length > 0;
    const keys = rows.map(keyOf);
    const wanted = new Set(keys);
    for (const [key, { line }] of this.#rows) {
      if (wanted.has(key)) continue;
      if (line.contains(document.activeElement)) this.#focusTitle();
      line.remove();
      this.#rows.delete(key);
    }
    rows.forEach((row, index) => {
      const key = keys[index];
      if (!this.#rows.has(key)) this.#rows.set(key, this.#newRow());
      const { line, cells } = this.#rows.get(key);
      this.#columns.forEach(({ of }, at) => {
        fill(cells[at], of(row, cells[at].firstChild));
      });
      // To move what is in its place already would take the focus from it.
      if (this.#body.children[index] !== line) this.#body.insertBefore(line, this.#body.children[index] ?? null);
    });
  }

  /** Where the focus goes from a row that is no more. */
  #focusTitle() {
    const title = document.getElementById(this.#labelledBy);
    title.tabIndex = -1;
    title.focus();
  }

  #newRow() {
    const cells = this.#columns.map((column) =>
      element('td', { role: 'cell', 'data-title': column.title, class: classOf(column) }),
    );
    return { line: element('tr', { role: 'row' }, ...cells), cells };
  }
}

/** Makes an element. Text among its children is shown as it is: {@link visible} is for what comes from outside. */
export function element(name, attributes = {}, ...children) {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) if (value !== '') made.setAttribute(key, value);
  made.append(...children);
  return made;
}

/** A button of a row that was drawn before, or a new one; what it does is the row's of now. */
export function button(before, text, label, onPress, kind = '') {
  const made = before instanceof HTMLButtonElement ? before : element('button', { type: 'button', class: kind });
  const shown = visible(text);
  if (made.textContent !== shown) made.textContent = shown;
  made.setAttribute('aria-label', label);
  made.onclick = onPress;
  return made;
}

/** Several buttons in one cell. @param {[text: string, label: string, onPress: () => void, kind?: string][]} all */
export function buttons(before, all) {
  const made = before instanceof HTMLDivElement ? before : element('div', { class: 'buttons' });
  all.forEach((one, at) => {
    const had = made.children[at];
    const next = button(had, ...one);
    if (next !== had) made.append(next);
  });
  return made;
}

/** A login name as a link-like button, with its application and server below. */
export function person(before, { user, tenant, server }, label, onPress) {
  const made = before instanceof HTMLDivElement ? before : element('div', { class: 'person' });
  const link = button(made.firstChild, user, label, onPress, 'link');
  const below = made.children[1] ?? element('span', { class: 'below' });
  below.textContent = [tenant, server].filter(Boolean).map(visible).join(' · ');
  if (!made.firstChild) made.append(link, below);
  return made;
}

/** A word with a colour, which alone would say nothing to some. */
export function badge(text, kind) {
  return element('span', { class: `badge ${kind}` }, visible(text));
}

/** Sets a text where it is another one now: screen readers hear what is set in a status. */
export function setText(place, text) {
  if (place.textContent !== text) place.textContent = text;
}

function classOf({ number, minor, deeds }) {
  return [number && 'number', minor && 'minor', deeds && 'deeds'].filter(Boolean).join(' ');
}

function fill(cell, content) {
  cell.classList.toggle('nil', NOTHING.has(content));
  if (typeof content !== 'string') {
    if (cell.firstChild !== content) cell.replaceChildren(content);
    return;
  }
  const shown = visible(content);
  if (cell.textContent !== shown || cell.childElementCount > 0) cell.textContent = shown;
}
