import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ImapConnection } from '../../src/imap/connection/connection.js';
import { Dovecot, newUser, PASSWORD } from '../support/dovecot.js';

let dovecot: Dovecot;
beforeAll(async () => {
  dovecot = await Dovecot.start();
});
afterAll(() => dovecot.stop());

describe('an IMAP connection', () => {
  it('logs in over TLS, selects a folder and logs out', async () => {
    const connection = await ImapConnection.open('1', dovecot.server(), { user: newUser(), password: PASSWORD });
    const selected = await connection.select('INBOX');
    expect(selected).toMatchObject({ path: 'INBOX', exists: 0, readOnly: false });
    await connection.logout(1000);
    expect(connection.usable).toBe(false);
  });

  it('tells its end once to each who still wants to know', async () => {
    const connection = await ImapConnection.open('1', dovecot.server(), { user: newUser(), password: PASSWORD });
    const told: string[] = [];
    connection.onClose(() => told.push('stays'));
    const unlisten = connection.onClose(() => told.push('left'));
    unlisten();
    await connection.logout(1000);
    connection.onClose(() => told.push('late'));
    expect(told).toEqual(['stays', 'late']);
  });

  it('shares what the server offers with the others to the same server, and learns of a change alone', async () => {
    const open = () => ImapConnection.open('1', dovecot.server(), { user: newUser(), password: PASSWORD });
    const [one, other] = await Promise.all([open(), open()]);
    expect(one.capabilities).toBe(other.capabilities);
    expect(one.has('UIDPLUS')).toBe(true);
    await one.exec('read', 'CAPABILITY');
    expect(one.capabilities).not.toBe(other.capabilities);
    expect(one.capabilities).toEqual(other.capabilities);
    await Promise.all([one.logout(1000), other.logout(1000)]);
  });
});
