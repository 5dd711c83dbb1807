/** A web application that may use the broker. */
export interface Tenant {
  name: string;
  /** SHA-256 of its bearer tokens, hex; two may be live for rotation. */
  tokenHashes: readonly string[];
}
