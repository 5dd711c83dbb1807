/** What operators do to the broker as a whole. */
export interface Operations {
  /** Closes a socket. @returns its tenant; `undefined` where there is no such socket */
  kickSocket(id: string): string | undefined;
}
