import type { Standstill } from '../runtime/standstill.js';
import type { DispatchOptions } from './dispatch.js';
import type { SocketLimits } from './limits.js';

/** What all sockets of a broker share. */
export interface SocketOptions extends DispatchOptions {
  limits: SocketLimits;
  /** Checked before any incoming frame is acted on. */
  standstill: Pick<Standstill, 'check'>;
}
