import type { Meta } from '../protocol/models.js';
import type { Origin } from '../view/mailbox-reader.js';

/** The `meta` of an answer that the server gave now. */
export function fromServer(): Meta {
  return { asOf: new Date().toISOString(), source: 'server' };
}

/** The `meta` of what a view answered. */
export function metaOf({ source, asOf, lagMs }: Origin): Meta {
  return { asOf: asOf.toISOString(), source, ...(lagMs === undefined ? {} : { lagMs }) };
}
