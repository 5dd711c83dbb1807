/** A result that is JSON already, because it was put together from JSON: it is sent as it is. */
export class Prepared {
  /** An object, of the shape that the contract states. */
  readonly json: string;

  constructor(json: string) {
    this.json = json;
  }
}
