import { describe, expect, it } from 'vitest';
import { ScriptedFolder } from '../../support/scripted-folder.js';
import type { ScriptedHandler } from '../../support/scripted-server.js';
import { expected, type Offer, oddVisitor, offers } from './odd-visitor.js';

describe.each(Object.keys(offers) as Offer[])(
  'two connections that have a folder selected at a server that offers %s',
  (offer) => {
    it.each([
      ['messages that go', (folder: ScriptedFolder) => folder.expunge(1, 4)],
      ['messages that come', (folder: ScriptedFolder) => folder.arrive()],
      [
        'messages that come and go',
        (folder: ScriptedFolder) => {
          folder.expunge(2);
          folder.arrive();
          folder.expunge(6);
        },
      ],
    ])('are both told of %s, and each page counts them once', async (_what, happens) => {
      const folder = new ScriptedFolder(6);
      const { page, counts, client, session, server } = await oddVisitor(folder, offer);
      await page();
      // The connection that has the folder is busy with a write, so the next page selects it on another.
      let release = () => {};
      const held = new Promise<void>((resolve) => {
        release = resolve;
      });
      const storing = new Promise<void>((resolve) => {
        const hold: ScriptedHandler = async (command, connection) => {
          resolve();
          await held;
          connection.ok(command);
        };
        server.on['UID STORE'] = hold;
      });
      const folderOf = { session, mailbox: 'INBOX', uidValidity: 1 };
      const writing = client.call('message.flag', { ...folderOf, uids: [5], action: 'add', flags: ['\\Seen'] });
      await storing;
      expect(await page()).toEqual(expected(folder));
      happens(folder);
      expect(await page()).toEqual(expected(folder));
      release();
      await writing;
      for (const round of [1, 2, 3]) {
        expect(await page(), `round ${round}`).toEqual(expected(folder));
        expect(await counts()).toEqual([folder.mails.length, folder.mails.length]);
      }
      folder.arrive();
      expect(await page()).toEqual(expected(folder));
    });
  },
);
