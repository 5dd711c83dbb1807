const NAMES = ['overview', 'accounts', 'requests', 'sockets'];

/** Which part of the page is shown: the one that the address names, so that a link and the button Back lead there. */
export class Views {
  #onChange;

  /** @param {() => void} onChange called when another one is shown */
  constructor(onChange) {
    this.#onChange = onChange;
    addEventListener('hashchange', () => {
      this.#show();
      scrollTo(0, 0);
      this.#onChange();
    });
    this.#show();
  }

  get current() {
    const name = location.hash.replace('#/', '');
    return NAMES.includes(name) ? name : NAMES[0];
  }

  #show() {
    const { current } = this;
    for (const section of document.querySelectorAll('[data-view]')) section.hidden = section.dataset.view !== current;
    for (const link of document.querySelectorAll('#views a')) {
      if (link.hash === `#/${current}`) link.setAttribute('aria-current', 'page');
      else link.removeAttribute('aria-current');
    }
  }
}
