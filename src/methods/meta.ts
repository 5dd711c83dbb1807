import type { Meta } from '../protocol/models.js';

/** The `meta` of an answer that the server gave now. */
export function fromServer(): Meta {
  return { asOf: new Date().toISOString(), source: 'server' };
}
