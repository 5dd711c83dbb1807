import type { Current } from '../runtime/live.js';
import type { Standstill } from '../runtime/standstill.js';
import type { DispatchOptions } from './dispatch.js';
import type { SocketLimits } from './limits.js';

/** What all sockets of a broker share. */
export interface SocketOptions extends DispatchOptions {
  limits: Current<SocketLimits>;
  /** Checked before any incoming frame is acted on. */
  standstill: Pick<Standstill, 'check'>;
}
