const SUBPROTOCOL = 'imap-broker.v1';
const ANSWER_MS = 15_000;

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
  #asked = new Map();
  #ids = 0;

  /**
   * Opens one; the token goes along as a subprotocol, for a page cannot send headers.
   * @param {string} token
   * @param {() => void} onClose called once when it is lost after it was open
   */
  static open(token, onClose) {
    return new Promise((resolve, reject) => {
      const { protocol, host } = location;
      const url = `${protocol === 'https:' ? 'wss' : 'ws'}://${host}/`;
      const ws = new WebSocket(url, [SUBPROTOCOL, `imap-broker.token.${base64url(token)}`]);
      ws.onopen = () => resolve(new Link(ws, onClose));
      ws.onclose = () => reject(new Error('closed'));
    });
  }

  constructor(ws, onClose) {
    this.#ws = ws;
    ws.onmessage = ({ data }) => this.#take(JSON.parse(data));
    ws.onclose = () => {
      for (const { reject } of this.#asked.values()) reject(new Error('The connection to the broker was lost.'));
      this.#asked.clear();
      onClose();
    };
  }

  /** Calls a method of the broker. Rejects with Refused, or an Error when the link is lost. */
  call(method, params = {}) {
    this.#ids += 1;
    const id = this.#ids;
    return new Promise((resolve, reject) => {
      if (this.#ws.readyState !== WebSocket.OPEN) throw new Error('The connection to the broker was lost.');
      this.#asked.set(id, { resolve, reject });
      this.#ws.send(JSON.stringify({ jsonrpc: '2.0', id, method, params: { timeoutMs: ANSWER_MS, ...params } }));
    });
  }

  close() {
    this.#ws.close();
  }

  #take({ id, result, error }) {
    const asked = this.#asked.get(id);
    this.#asked.delete(id);
    if (error) asked?.reject(new Refused(error));
    else asked?.resolve(result);
  }
}

function base64url(text) {
  const bytes = new TextEncoder().encode(text);
  return btoa(String.fromCharCode(...bytes))
    .replace(/[+]/g, '-')
    .replace(/[/]/g, '_')
    .replace(/=/g, '');
}
