import { FrameClient } from './frame-client.js';
import { HealthyUser, type Waits } from './healthy-user.js';
import { startHostileServer } from './hostile-imap.js';

/** A healthy user of a broker: see {@link HealthyUser}. */
export interface Asking {
  start(): void;
  stop(): Promise<Waits>;
  close(): Promise<void>;
}

/** A healthy IMAP server, and the place from where its one user asks. */
export interface HealthyPlace {
  readonly port: number;
  /**
   * @param socket of the broker
   * @param server the healthy server's name at the broker
   */
  enter(socket: string, token: string, server: string): Promise<Asking>;
  end(): Promise<void>;
}

/** The event loop that runs the hostile servers, too. */
export async function inThisThread(): Promise<HealthyPlace> {
  const server = await startHostileServer();
  return {
    port: server.port,
    enter: async (socket, token, name) => HealthyUser.open(await FrameClient.open(socket, token), name),
    end: () => server.close(),
  };
}
