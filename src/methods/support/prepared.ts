import type { Explanation, Meta } from '../../protocol/models.js';
import type { Origin } from '../../view/mailbox-reader.js';
import { metaOf } from './meta.js';

/** A result whose members are kept as JSON. The dispatcher completes and sends it. */
export class Prepared {
  readonly meta: Meta;
  readonly #members: string;

  /** @param members all members of the result but `meta` and `explain`, as JSON without braces */
  constructor(members: string, origin: Origin) {
    this.#members = members;
    this.meta = metaOf(origin);
  }

  /** The whole result as JSON. */
  json(explain?: Explanation): string {
    const last = explain ? `,"explain":${JSON.stringify(explain)}` : '';
    return `{${this.#members},"meta":${JSON.stringify(this.meta)}${last}}`;
  }
}
