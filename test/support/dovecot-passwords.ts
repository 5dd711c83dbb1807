import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';

/** The users of a Dovecot who have a password of their own; everybody else has the one that all share. */
export class DovecotPasswords {
  readonly #folder: string;
  readonly #passwords = new Map<string, [string, string | undefined]>();

  constructor(folder: string) {
    this.#folder = folder;
  }

  /** The passdb entries that come before the one for everybody. */
  static conf(folder: string): string {
    // The last entry lets any password of theirs match and turns that into a plain failure, so that nobody falls
    // through to the next. (A list with `deny` would answer otherwise than a wrong password does.)
    return `
passdb {
  driver = passwd-file
  args = ${folder}/passwords
}
passdb {
  driver = passwd-file
  args = ${folder}/second-passwords
}
passdb {
  driver = passwd-file
  args = ${folder}/has-password
  result_success = return-fail
}`;
  }

  /** Writes the files. */
  async write(): Promise<void> {
    const users = [...this.#passwords];
    const write = (name: string, lines: string[]) => writeFile(join(this.#folder, name), `${lines.join('\n')}\n`);
    await write(
      'passwords',
      users.map(([user, [password]]) => `${user}:{PLAIN}${password}`),
    );
    await write(
      'second-passwords',
      users.flatMap(([user, [, password]]) => (password === undefined ? [] : [`${user}:{PLAIN}${password}`])),
    );
    await write(
      'has-password',
      users.map(([user]) => `${user}:::::::nopassword=y`),
    );
  }

  /** From now on this user logs in with this password, or with another one, alone. Takes up to a second. */
  async set(user: string, password: string, other?: string): Promise<void> {
    this.#passwords.set(user, [password, other]);
    await this.write();
    // Dovecot looks whether the files have changed at most once within each second of the clock.
    await setTimeout(1020 - (Date.now() % 1000));
  }
}
