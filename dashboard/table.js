/**
 * A table that is drawn again and again: rows keep their elements, by key, so that whoever has the focus in one keeps
 * it. On a narrow screen each row is a card; the roles are said because CSS takes them from a table drawn so.
 */
export class Table {
  #columns;
  #body = element('tbody', { role: 'rowgroup' });
  #empty;
  #table;
  #rows = new Map();

  /**
   * @param {HTMLElement} place where it goes
   * @param {string} labelledBy id of its title
   * @param {{ title: string, of: (row: object) => string | Node, number?: boolean }[]} columns
   * @param {string} empty what is said where there are no rows
   */
  constructor(place, labelledBy, columns, empty) {
    this.#columns = columns;
    const heads = columns.map(({ title, number }) =>
      element('th', { role: 'columnheader', scope: 'col', class: number ? 'number' : '' }, title),
    );
    const head = element('thead', { role: 'rowgroup' }, element('tr', { role: 'row' }, ...heads));
    this.#table = element('table', { role: 'table', 'aria-labelledby': labelledBy }, head, this.#body);
    this.#empty = element('p', { class: 'hint' }, empty);
    place.replaceChildren(this.#table, this.#empty);
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
    for (const [key, { line }] of this.#rows) {
      if (keys.includes(key)) continue;
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

  #newRow() {
    const cells = this.#columns.map(({ title, number }) =>
      element('td', { role: 'cell', 'data-title': title, class: number ? 'number' : '' }),
    );
    return { line: element('tr', { role: 'row' }, ...cells), cells };
  }
}

/** Makes an element. */
export function element(name, attributes = {}, ...children) {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) if (value !== '') made.setAttribute(key, value);
  made.append(...children);
  return made;
}

/** A button of a row that was drawn before, or a new one; what it does is the row's of now. */
export function button(before, text, label, onPress) {
  const made = before instanceof HTMLButtonElement ? before : element('button', { type: 'button' });
  if (made.textContent !== text) made.textContent = text;
  made.setAttribute('aria-label', label);
  made.onclick = onPress;
  return made;
}

/** A word with a colour, which alone would say nothing to some. */
export function badge(text, kind) {
  return element('span', { class: `badge ${kind}` }, text);
}

function fill(cell, content) {
  if (content instanceof HTMLButtonElement && cell.firstChild === content) return;
  if (typeof content !== 'string') cell.replaceChildren(content);
  else if (cell.textContent !== content || cell.childElementCount > 0) cell.textContent = content;
}
