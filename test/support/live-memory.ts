import { once } from 'node:events';
import { WebSocket } from 'ws';

/**
 * What another Node process holds in memory, without what is only waiting to be collected: resident memory tells more
 * of the collector's habits than of the program. The process runs with `--expose-gc` and `--inspect`.
 */
export class LiveMemory {
  readonly #inspector: WebSocket;
  #calls = 0;

  private constructor(inspector: WebSocket) {
    this.#inspector = inspector;
  }

  /** @param url of the process's inspector */
  static async of(url: string): Promise<LiveMemory> {
    const inspector = new WebSocket(url);
    await once(inspector, 'open');
    return new LiveMemory(inspector);
  }

  /** Bytes in the heap and in buffers outside of it, after a collection. */
  async bytes(): Promise<number> {
    this.#calls += 1;
    const expression = 'gc(); const { heapUsed, external } = process.memoryUsage(); heapUsed + external';
    const params = { expression: `{ ${expression} }`, returnByValue: true };
    this.#inspector.send(JSON.stringify({ id: this.#calls, method: 'Runtime.evaluate', params }));
    for (;;) {
      const [data] = (await once(this.#inspector, 'message')) as [Buffer];
      const { id, result } = JSON.parse(data.toString());
      if (id === this.#calls) return result.result.value;
    }
  }

  close(): void {
    this.#inspector.terminate();
  }
}
