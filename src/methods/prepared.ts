import type { Meta } from '../protocol/models.js';

/** A result that was put together from JSON and is sent as it is. */
export class Prepared {
  /** An object, of the shape that the contract states. */
  readonly json: string;
  /** The `source` in its `meta`. */
  readonly source: Meta['source'];

  constructor(json: string, source: Meta['source']) {
    this.json = json;
    this.source = source;
  }
}
