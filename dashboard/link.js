const SUBPROTOCOL = 'imap-broker.v1';
const ANSWER_MS = 15_000;
/** Milliseconds without an answer after which the broker is taken to be away: it answers by its own deadline. */
const AWAY_MS = ANSWER_MS + 5_000;
const LOST = 'The connection to the broker was lost.';

/** An error that the broker answered: its kind and its sentence. */
export class Refused extends Error {
  constructor({ message, data }) {
    super(message);
    this.kind = data?.kind;
  }
}

/** One WebSocket to the broker that this page is from. */
export class Link {
  #ws;
  #onClose;
  #asked = new Map();
  #ids = 0;

  /**
   * Opens one; the token goes along as a subprotocol, for a page cannot send headers.
   * @param {string} token
   * @param {() => void} onClose called once when it is lost after it was open, unless the page closes it
   */
  static open(token, onClose) {
    return new Promise((resolve, reject) => {
      const { protocol, host } = location;
      const url = `${protocol === 'https:' ? 'wss' : 'ws'}://${host}/`;
      const ws = new WebSocket(url, [SUBPROTOCOL, `imap-broker.token.${base64url(token)}`]);
      const late = setTimeout(() => ws.close(), ANSWER_MS);
      ws.onopen = () => {
        clearTimeout(late);
        resolve(new Link(ws, onClose));
      };
      ws.onclose = () => {
        clearTimeout(late);
        reject(new Error('closed'));
      };
    });
  }

  constructor(ws, onClose) {
    this.#ws = ws;
    this.#onClose = onClose;
    ws.onmessage = ({ data }) => this.#take(JSON.parse(data));
    ws.onclose = () => this.#lost();
  }

  /** Calls a method of the broker. Rejects with Refused, or an Error when the link is lost. */
  call(method, params = {}) {
    this.#ids += 1;
    const id = this.#ids;
    return new Promise((resolve, reject) => {
      if (this.#ws.readyState !== WebSocket.OPEN) throw new Error(LOST);
      const late = setTimeout(() => this.#lost(), AWAY_MS);
      this.#asked.set(id, { resolve, reject, late });
      this.#ws.send(JSON.stringify({ jsonrpc: '2.0', id, method, params: { timeoutMs: ANSWER_MS, ...params } }));
    });
  }

  close() {
    this.#onClose = () => {};
    this.#ws.close();
  }

  /** The socket has closed, or the network has swallowed it without a word. */
  #lost() {
    this.#ws.onclose = null;
    this.#ws.onmessage = null;
    this.#ws.close();
    for (const { reject, late } of this.#asked.values()) {
      clearTimeout(late);
      reject(new Error(LOST));
    }
    this.#asked.clear();
    this.#onClose();
  }

  #take({ id, result, error }) {
    const asked = this.#asked.get(id);
    if (!asked) return;
    this.#asked.delete(id);
    clearTimeout(asked.late);
    if (error) asked.reject(new Refused(error));
    else asked.resolve(result);
  }
}

function base64url(text) {
  const bytes = new TextEncoder().encode(text);
  return btoa(String.fromCharCode(...bytes))
    .replace(/[+]/g, '-')
    .replace(/[/]/g, '_')
    .replace(/=/g, '');
}
