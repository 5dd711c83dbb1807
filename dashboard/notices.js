import { button, element, setText } from './table.js';

/** What an operator has to know wherever on the page: it stays as long as it is so, and is no news each time. */
export class Notices {
  #place;
  #lines = new Map();

  /** @param {HTMLElement} place */
  constructor(place) {
    this.#place = place;
  }

  /** @param {{ key: string, kind: string, text: string, deed?: [text: string, label: string, onPress: () => void] }[]} all */
  draw(all) {
    for (const [key, line] of this.#lines) {
      if (all.some((one) => one.key === key)) continue;
      line.remove();
      this.#lines.delete(key);
    }
    for (const { key, kind, text, deed } of all) {
      const line = this.#lines.get(key) ?? element('p', { class: `notice ${kind}` }, element('span'));
      setText(line.firstChild, text);
      if (deed) {
        const had = line.children[1];
        const made = button(had, ...deed, 'quiet');
        if (made !== had) line.append(made);
      }
      if (!this.#lines.has(key)) this.#place.append(line);
      this.#lines.set(key, line);
    }
  }
}
