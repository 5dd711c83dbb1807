import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ImapConnection } from '../../src/imap/connection/connection.js';
import { searchUids } from '../../src/imap/messages/search/search.js';
import { searchSorted } from '../../src/imap/messages/search/sort.js';
import { atom, sequence, textOf } from '../../src/imap/wire/tokens.js';
import type { Criteria, Sort } from '../../src/protocol/criteria.js';
import { startCourier } from '../support/courier.js';
import { startCyrus } from '../support/cyrus.js';
import { LeanImap } from '../support/lean-imap.js';
import type { TestServer } from '../support/test-server.js';
import { upstream } from '../support/upstream.js';

const DAY = 86_400;
/** Seconds since each message came, the first of which has uid 1. */
const ages = [30 * DAY, 3 * DAY, 26 * 3600, 22 * 3600, 600];

describe.each([
  ['Cyrus', startCyrus],
  ['Courier', startCourier],
] as const)('criteria on %s', (name, start) => {
  let server: TestServer;
  let connection: ImapConnection;
  beforeAll(async () => {
    server = await start();
    const user = server.user();
    const other = await LeanImap.open(server.plainPort, user, server.password);
    for (const [index, age] of ages.entries()) {
      const [, day, month, year, time] = new Date(Date.now() - age * 1000).toUTCString().split(' ');
      const text = `Subject: ${index % 2 === 0 ? 'apple' : 'cherry'}\r\nMessage-ID: <${index}@x>\r\n\r\n${'x'.repeat(index * 1000)}\r\n`;
      await other.all(
        `APPEND INBOX (${index === 1 ? '\\Seen' : ''}) "${day}-${month}-${year} ${time} +0000" {${text.length}}\r\n${text}`,
      );
    }
    await other.close();
    const reached = upstream('mail', server.plainPort, { tls: 'none' });
    connection = await ImapConnection.open('1', reached, { user, password: server.password });
    await connection.select('INBOX');
  });
  afterAll(async () => {
    await connection?.logout(1000);
    await server?.stop();
  });

  it.each<[Criteria, number[]]>([
    [{ uidAfter: 3 }, [4, 5]],
    [{ uidAfter: 5 }, []],
    [{ not: { uidAfter: 5 } }, [1, 2, 3, 4, 5]],
    [{ uidAfter: 4_294_967_294 }, []],
    [{ uidRanges: [{ from: 1, to: 2 }, { from: 6 }] }, [1, 2]],
    [{ uidRanges: [{ from: 4 }, { from: 2, to: 2 }] }, [2, 4, 5]],
    [{ youngerThanSeconds: DAY }, [4, 5]],
    [{ olderThanSeconds: DAY }, [1, 2, 3]],
    [{ not: { or: [{ youngerThanSeconds: DAY }, { olderThanSeconds: 20 * DAY }] } }, [2, 3]],
    [{ or: [{ subject: 'cherry' }], not: { seen: true } }, [4]],
    [{ not: { and: [{ largerThan: 0 }, { largerThan: 2500 }] } }, [1, 2, 3]],
    [{ fuzzy: { uidAfter: 4 } }, [5]],
    [{ subject: 'Größe' }, []],
  ])('finds by %j', async (criteria, uids) => {
    expect(await searchUids(connection, criteria)).toEqual(uids);
  });

  it.each<[Sort[], number[]]>([
    [[{ by: 'subject', descending: false }], [1, 3, 5, 2, 4]],
    [[{ by: 'subject', descending: true }], [2, 4, 1, 3, 5]],
    [
      [
        { by: 'subject', descending: false },
        { by: 'uid', descending: true },
      ],
      [5, 3, 1, 4, 2],
    ],
  ])('sorts by %j, equal ones in the order of the folder', async (sort, uids) => {
    expect((await searchSorted(connection, {}, sort)).uids).toEqual(uids);
  });

  it('finds by what only some servers have', async () => {
    if (name === 'Courier') {
      for (const criteria of [{ emailId: 'M1' }, { modseqSince: '1' }, { savedOn: '2024-01-01' }, { label: 'Work' }]) {
        await expect(searchUids(connection, criteria)).rejects.toMatchObject({ kind: 'UNSUPPORTED' });
      }
      return;
    }
    let emailId = '';
    await connection.exec('read', 'UID FETCH', [sequence('2'), [atom('EMAILID')]], {
      FETCH: ({ items }) => {
        emailId = textOf([items.get('EMAILID') ?? null].flat()[0]);
      },
    });
    expect(await searchUids(connection, { emailId })).toEqual([2]);
    // Without its conversations Cyrus has no THREADID, and takes the key all the same.
    expect(await searchUids(connection, { threadId: 'T0' })).toEqual([]);
    expect(await searchUids(connection, { not: { emailId } })).toEqual([1, 3, 4, 5]);
    expect(await searchUids(connection, { modseqSince: '1' })).toEqual([1, 2, 3, 4, 5]);
    expect(await searchUids(connection, { modseqSince: '9223372036854775807' })).toEqual([]);
    expect(await searchUids(connection, { savedSince: '2024-01-01' })).toEqual([1, 2, 3, 4, 5]);
  });
});
