import { type Obstacle, obstacleOf } from '../imap/connection/obstacles.js';
import { type ProbeStep, probe } from '../imap/connection/probe.js';
import type { ServerOptions } from '../imap/login/server-options.js';

/** Milliseconds for a server, and for another way to it. */
const LOOK_MS = 2_000;
const OTHER_WAY_MS = 1_000;
const IMAPS_PORT = 993;
const IMAP_PORT = 143;

/** What a look at a server has found, without a login. */
export interface Look {
  /** Why the server cannot be used as it is configured; `undefined` where it can. */
  obstacle: Obstacle | undefined;
  /** What the last step found, or why it failed. */
  detail: string;
  /** When the certificate ends, where there is one that is right. */
  certificateUntil: Date | undefined;
  /** Another way on which the server answers. */
  instead: Way | undefined;
}

export type Way = Pick<ServerOptions, 'port' | 'tls'>;

/** Connects to a server as a login would, and where that fails, in another way. Takes three seconds at most, never rejects. */
export async function lookAt(server: ServerOptions): Promise<Look> {
  const steps = await probe(server, undefined, Date.now() + LOOK_MS);
  const failed = steps.find(({ ok }) => !ok);
  const found = { detail: (failed ?? steps.at(-1))?.detail ?? '', certificateUntil: certificateUntil(steps) };
  if (!failed) return { ...found, obstacle: undefined, instead: undefined };
  const obstacle = obstacleOf(failed, server);
  return { ...found, obstacle, instead: await otherWay(server, obstacle) };
}

/** The first of other ways to a server on which an IMAP server answers. */
async function otherWay(server: ServerOptions, obstacle: Obstacle): Promise<Way | undefined> {
  const deadlineAt = Date.now() + OTHER_WAY_MS;
  for (const way of waysAround(server, obstacle)) {
    const steps = await probe({ ...server, ...way }, undefined, deadlineAt);
    if (answers(steps, way)) return way;
  }
  return undefined;
}

function waysAround({ port, tls }: ServerOptions, obstacle: Obstacle): Way[] {
  switch (obstacle) {
    case 'no-tls':
      return [
        { port, tls: 'starttls' },
        { port, tls: 'none' },
      ];
    case 'tls-first':
      return [{ port, tls: 'implicit' }];
    case 'no-starttls':
      return [...(port === IMAP_PORT ? [{ port: IMAPS_PORT, tls: 'implicit' } as const] : []), { port, tls: 'none' }];
    case 'refused':
    case 'silent':
      // Where the port was not the usual one for the way, it was chosen with care.
      if (tls === 'implicit') return port === IMAPS_PORT ? [{ port: IMAP_PORT, tls: 'starttls' }] : [];
      return port === IMAP_PORT ? [{ port: IMAPS_PORT, tls: 'implicit' }] : [];
    default:
      return [];
  }
}

/** Whether an IMAP server is there; its certificate may still be one that is not trusted. */
function answers(steps: readonly ProbeStep[], { tls }: Way): boolean {
  const failed = steps.find(({ ok }) => !ok);
  if (!failed) return true;
  const certificate: Obstacle[] = ['self-signed', 'unknown-authority', 'wrong-name', 'expired', 'not-yet-valid'];
  return failed.step === 'tls' && certificate.includes(obstacleOf(failed, { tls }));
}

function certificateUntil(steps: readonly ProbeStep[]): Date | undefined {
  const { detail = '' } = steps.find(({ step, ok }) => step === 'tls' && ok) ?? {};
  const [, until = ''] = /, valid until (.*)$/.exec(detail) ?? [];
  const time = Date.parse(until);
  return Number.isNaN(time) ? undefined : new Date(time);
}
