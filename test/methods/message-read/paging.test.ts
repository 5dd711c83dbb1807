import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { ListField } from '../../../src/protocol/rows.js';
import { Dovecot } from '../../support/dovecot.js';
import { directAccount, handlerContext } from '../../support/handler-context.js';
import { message } from '../../support/mail.js';
import { list } from '../../support/plain-handlers.js';

let dovecot: Dovecot;
let plain: Dovecot;
beforeAll(async () => {
  dovecot = await Dovecot.start();
  // Without ESEARCH the broker has to find its place by itself.
  plain = await Dovecot.start({ imapCapability: 'IMAP4rev1 LITERAL+ UIDPLUS NAMESPACE' });
});
afterAll(async () => {
  await dovecot.stop();
  await plain.stop();
});

const small = () => message({ text: 'x' }).toString();

async function mailboxOf(server: Dovecot, count: number) {
  const user = server.user();
  await server.bulkDeliver(user, 'INBOX', count, small);
  const account = await directAccount(server.server(), { user, password: server.password });
  const page = (options: { limit: number; cursor?: string; fields?: ListField[]; mailbox?: string }) =>
    list(handlerContext('message.list', account), {
      session: 'x',
      mailbox: options.mailbox ?? 'INBOX',
      limit: options.limit,
      fields: options.fields ?? [],
      ...(options.cursor === undefined ? {} : { cursor: options.cursor }),
    });
  return { user, account, page };
}

type Page = Awaited<ReturnType<typeof mailboxOf>>['page'];

/** All pages to the end; between two of them something happens. */
async function walk(page: Page, limit: number, between: (seen: number[]) => Promise<void>): Promise<number[]> {
  const seen: number[] = [];
  let cursor: string | undefined;
  do {
    const answer = await page({ limit, ...(cursor === undefined ? {} : { cursor }) });
    seen.push(...answer.messages.map(({ uid }) => uid));
    cursor = answer.nextCursor ?? undefined;
    if (cursor !== undefined) await between(seen);
  } while (cursor !== undefined);
  return seen;
}

describe('paging', () => {
  it('goes through a folder newest first, each message once', async () => {
    const { account, page } = await mailboxOf(dovecot, 23);
    const seen = await walk(page, 5, async () => {});
    expect(seen).toEqual(Array.from({ length: 23 }, (_, index) => 23 - index));
    expect((await page({ limit: 23 })).nextCursor).toBeNull();
    await account.close();
  });

  it('answers an empty folder with an empty last page', async () => {
    const { account, page } = await mailboxOf(dovecot, 0);
    expect(await page({ limit: 5 })).toMatchObject({ total: 0, messages: [], nextCursor: null });
    await account.close();
  });

  it.each(['with ESEARCH', 'without ESEARCH'])(
    'stays right while mail arrives and vanishes, %s',
    async (kind) => {
      const server = kind === 'with ESEARCH' ? dovecot : plain;
      const change = fc.record({
        arrive: fc.integer({ min: 0, max: 3 }),
        // Places in the folder, from the oldest on, of those to be removed.
        vanish: fc.array(fc.nat({ max: 300 }), { maxLength: 6 }),
      });
      const count = kind === 'with ESEARCH' ? 25 : 180;
      await fc.assert(
        fc.asyncProperty(
          fc.array(change, { minLength: 1, maxLength: 6 }),
          fc.integer({ min: 2, max: 9 }),
          async (changes, tenth) => {
            const { user, account, page } = await mailboxOf(server, count);
            const other = await server.client(user);
            await other.mailboxOpen('INBOX');
            const gone = new Set<number>();
            let step = 0;
            const seen = await walk(page, Math.ceil((count / 25) * tenth), async () => {
              const { arrive, vanish } = changes[step++ % changes.length] ?? { arrive: 0, vanish: [] };
              for (let left = arrive; left > 0; left -= 1) await other.append('INBOX', small());
              const there = (await other.search({ all: true }, { uid: true })) || [];
              const doomed = [...new Set(vanish.flatMap((place) => there[place] ?? []))];
              if (doomed.length > 0) await other.messageDelete(doomed.join(','), { uid: true });
              for (const uid of doomed) gone.add(uid);
            });
            await other.logout();
            await account.close();
            expect(new Set(seen).size).toBe(seen.length);
            expect(seen).toEqual([...seen].sort((a, b) => b - a));
            for (let uid = 1; uid <= count; uid += 1) if (!gone.has(uid)) expect(seen).toContain(uid);
          },
        ),
        { numRuns: 12 },
      );
    },
    60_000,
  );

  it('refuses cursors that it never gave, and those of another folder or another UIDVALIDITY', async () => {
    const { user, account, page } = await mailboxOf(dovecot, 4);
    const { nextCursor } = await page({ limit: 2 });
    for (const cursor of ['garbage', Buffer.from('1.2').toString('base64url'), `${nextCursor}A`, '%%%%']) {
      await expect(page({ limit: 2, cursor })).rejects.toMatchObject({ kind: 'INVALID_PARAMS', field: 'cursor' });
    }
    await dovecot.deliver(user, 'Other', small());
    const cursor = nextCursor ?? '';
    await expect(page({ limit: 2, cursor, mailbox: 'Other' })).rejects.toMatchObject({ kind: 'STATE_CHANGED' });
    const [validity = '', ...rest] = Buffer.from(cursor, 'base64url').toString().split('.');
    const aged = Buffer.from([Number(validity) - 1, ...rest].join('.')).toString('base64url');
    await expect(page({ limit: 2, cursor: aged })).rejects.toMatchObject({ kind: 'STATE_CHANGED' });
    await account.close();
  });
});

describe('a page', () => {
  it('costs the same bytes in a folder of 50,000 as in one of 500, first page or later', async () => {
    const cost = async (count: number) => {
      const { account, page } = await mailboxOf(dovecot, count);
      const measured: number[] = [];
      let cursor: string | undefined;
      await page({ limit: 20, fields: ['flags', 'size'] });
      for (let index = 0; index < 3; index += 1) {
        const { received } = account.connection.bytes;
        const answer = await page({
          limit: 20,
          fields: ['flags', 'size'],
          ...(cursor === undefined ? {} : { cursor }),
        });
        expect(answer.messages).toHaveLength(20);
        cursor = answer.nextCursor ?? undefined;
        measured.push(account.connection.bytes.received - received);
      }
      await account.close();
      return measured;
    };
    const few = await cost(500);
    const many = await cost(50_000);
    // Numbers have more digits there.
    for (const [index, bytes] of many.entries()) expect(bytes).toBeLessThan((few[index] ?? 0) + 20 * 6 + 40);
  });

  it('holds the fields that were asked for and no others', async () => {
    const { account, page } = await mailboxOf(dovecot, 2);
    const keys = async (fields: ListField[]) => Object.keys((await page({ limit: 1, fields })).messages[0] ?? {});
    expect(await keys([])).toEqual(['uid']);
    expect((await keys(['flags', 'preview'])).sort()).toEqual(['flags', 'preview', 'previewSource', 'uid']);
    const all = await page({ limit: 1, fields: ['preview', 'hasAttachment', 'size', 'internalDate', 'envelope'] });
    expect(all.messages[0]).toMatchObject({
      uid: 2,
      preview: 'x',
      hasAttachment: false,
      envelope: { subject: 'Hello' },
    });
    await account.close();
  });

  it('has a preview that the broker made where the server offers none', async () => {
    const { account, page } = await mailboxOf(plain, 1);
    expect((await page({ limit: 1, fields: ['preview'] })).messages).toEqual([
      { uid: 1, preview: 'x', previewSource: 'broker' },
    ]);
    await account.close();
  });

  it('of 500 comes whole, with mail that another client removed left out', async () => {
    const { user, account, page } = await mailboxOf(dovecot, 620);
    await page({ limit: 1 });
    const other = await dovecot.client(user);
    await other.mailboxOpen('INBOX');
    await other.messageDelete('600:620,300', { uid: true });
    await other.logout();
    const answer = await page({ limit: 500, fields: ['envelope', 'flags'] });
    expect(answer.total).toBe(598);
    expect(answer.messages).toHaveLength(500);
    expect(answer.messages[0]?.uid).toBe(599);
    expect(answer.messages.every(({ envelope, flags }) => envelope && flags)).toBe(true);
    await account.close();
  });
});
