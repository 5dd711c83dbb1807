/** Something that is kept for each account, for as long as a session of the account lives. */
export interface KeptPerAccount {
  /** The account has no session any more: nothing of it is kept. */
  endAccount(accountKey: string): void;
}
