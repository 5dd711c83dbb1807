import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';

// Node has no Unix datagrams. Prints each message with its sender, as the kernel tells it.
const SCRIPT = `
import json, socket, struct, sys
server = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
server.setsockopt(socket.SOL_SOCKET, socket.SO_PASSCRED, 1)
server.bind(sys.argv[1].replace("@", "\\0", 1))
print("{}", flush=True)
while True:
    message, extra, _, _ = server.recvmsg(65536, socket.CMSG_SPACE(12))
    for level, kind, data in extra:
        if kind == socket.SCM_CREDENTIALS and message:
            lines = message.decode().splitlines()
            print(json.dumps({"pid": struct.unpack("iii", data)[0], "lines": lines}), flush=True)
`;

/** What came by the socket in one datagram. */
export interface Notice {
  /** Process that the kernel names as its sender. */
  pid: number;
  lines: string[];
}

/** A datagram socket like that of a service manager (sd_notify(3)). */
export class NotifySocket {
  readonly path: string;
  readonly notices: Notice[] = [];
  readonly #child: ChildProcess;
  #seen = 0;
  #wake: () => void = () => {};

  private constructor(path: string, child: ChildProcess) {
    this.path = path;
    this.#child = child;
  }

  /** @param path of the socket; with `@` in front a name of the abstract namespace */
  static async open(path: string): Promise<NotifySocket> {
    const child = spawn('/usr/bin/python3', ['-c', SCRIPT, path], { stdio: ['ignore', 'pipe', 'inherit'] });
    const socket = new NotifySocket(path, child);
    const lines = createInterface({ input: child.stdout });
    await once(lines, 'line');
    lines.on('line', (line) => {
      socket.notices.push(JSON.parse(line));
      socket.#wake();
    });
    return socket;
  }

  /** The next message that no test has waited for yet, of those with such a line. */
  async next(line: string | RegExp): Promise<Notice> {
    for (;;) {
      const found = this.notices
        .slice(this.#seen)
        .find(({ lines }) => lines.some((one) => (typeof line === 'string' ? one === line : line.test(one))));
      if (found) {
        this.#seen = this.notices.indexOf(found) + 1;
        return found;
      }
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
  }

  async close(): Promise<void> {
    const ended = once(this.#child, 'close');
    this.#child.kill();
    await ended;
  }
}
