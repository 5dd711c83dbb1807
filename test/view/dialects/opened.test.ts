import { expect, it } from 'vitest';
import { ScriptedFolder } from '../../support/scripted-folder.js';
import { oddVisitor } from './odd-visitor.js';

/** A folder whose server tells of messages by their sequence numbers alone, and a user who opens messages by uid. */
async function opening(count: number) {
  const folder = new ScriptedFolder(count);
  const { client, session, page } = await oddVisitor(folder, 'little more than IMAP4rev1');
  const open = async (uid: number) => {
    const params = { session, mailbox: 'INBOX', uidValidity: 1, uids: [uid] };
    const { messages, notFound } = await client.call('message.get', params);
    return { flags: messages.map(({ flags }) => flags), notFound };
  };
  return { folder, open, page };
}

it('a message that was opened and then listed is not there any more when it is expunged', async () => {
  const { folder, open, page } = await opening(4);
  await page({ limit: 1 });
  expect(await open(3)).toEqual({ flags: [[]], notFound: [] });
  await page({ limit: 2 });
  folder.expunge(3);
  expect(await open(3)).toEqual({ flags: [], notFound: [3] });
});

it('a new message that was opened and never listed has the flags that it was given since', async () => {
  const { folder, open, page } = await opening(3);
  await page();
  folder.arrive();
  expect(await open(4)).toEqual({ flags: [[]], notFound: [] });
  folder.flag(4, '\\Flagged');
  expect(await open(4)).toEqual({ flags: [['\\Flagged']], notFound: [] });
});

it('a new message that was opened and never listed is not there any more when it is expunged', async () => {
  const { folder, open, page } = await opening(3);
  await page();
  folder.arrive();
  folder.arrive();
  expect(await open(4)).toEqual({ flags: [[]], notFound: [] });
  folder.expunge(4);
  expect(await open(4)).toEqual({ flags: [], notFound: [4] });
});
