import { describe, expect, it } from 'vitest';
import { ScriptedFolder } from '../../support/scripted-folder.js';
import { expected, type Offer, oddVisitor, offers } from './odd-visitor.js';

/** What may happen to a folder while a page of it is fetched. */
const events: [string, (folder: ScriptedFolder) => void][] = [
  ['new mail', (folder) => folder.arrive()],
  ['a flag of a message that was told', (folder) => folder.flag(3, '\\Flagged')],
  ['a flag of a message that is to be told', (folder) => folder.flag(5, '\\Flagged')],
  ['one expunged that was told', (folder) => folder.expunge(3)],
  ['one expunged that is to be told', (folder) => folder.expunge(5)],
];

describe.each(Object.keys(offers) as Offer[])(
  'on a server that offers %s a page that is fetched while something happens',
  (offer) => {
    it.each(events)('is as the folder was before or behind it: %s', async (_what, happens) => {
      const folder = new ScriptedFolder(6, { interrupts: true });
      const { page } = await oddVisitor(folder, offer);
      const before = expected(folder, 4);
      folder.meanwhile = { when: 'within', happens: () => happens(folder) };
      const answer = await page({ limit: 4 });
      expect([before, expected(folder, 4)]).toContainEqual(answer);
      expect(await page({ limit: 4 })).toEqual(expected(folder, 4));
    });

    it('has no message that the server makes up for one that goes at this moment', async () => {
      const folder = new ScriptedFolder(4, { makesUpMissing: true });
      const { page } = await oddVisitor(folder, offer);
      const before = expected(folder);
      folder.meanwhile = { when: 'before', happens: () => folder.expunge(2) };
      const answer = await page();
      expect([before, expected(folder)]).toContainEqual(answer);
      expect(await page()).toEqual(expected(folder));
    });
  },
);
