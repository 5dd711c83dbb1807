import type { Meta } from '../../protocol/models.js';
import type { Origin } from '../../view/mailbox-reader.js';

/** The `meta` of an answer. */
export function metaOf({ source, asOf, lagMs }: Origin): Meta {
  return { asOf: asOf.toISOString(), source, ...(lagMs === undefined ? {} : { lagMs }) };
}
