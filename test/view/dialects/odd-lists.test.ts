import { describe, expect, it } from 'vitest';
import type { ParamsIn } from '../../../src/protocol/contract.js';
import { ScriptedFolder } from '../../support/scripted-folder.js';
import { type Offer, oddVisitor, offers } from './odd-visitor.js';

type Asked = Omit<ParamsIn<'message.list'>, 'session' | 'mailbox'>;

/** A user who lists a folder on a scripted server. */
async function lister(folder: ScriptedFolder, offer: Offer) {
  const visitor = await oddVisitor(folder, offer);
  const { client, session } = visitor;
  const list = (params: Asked) => client.call('message.list', { session, mailbox: 'INBOX', ...params });
  return { ...visitor, list };
}

describe.each(Object.keys(offers) as Offer[])('on a server that offers %s', (offer) => {
  it('a count that the folder does not wait for has no state to be unchanged by', async () => {
    const folder = new ScriptedFolder(3, { interrupts: true });
    const { list, server } = await lister(folder, offer);
    const search = server.on['UID SEARCH'];
    let flagged = false;
    server.on['UID SEARCH'] = (command, connection) => {
      flagged = !flagged;
      const happens = () => folder.flag(1, ...(flagged ? ['\\Flagged'] : []));
      folder.meanwhile = { when: 'within', happens };
      return search?.(command, connection);
    };
    const counted = await list({ filter: { text: 'a', flagged: false }, countOnly: true });
    expect(counted).toMatchObject({ state: null });
  });

  it('a page of a list never goes on in a folder that has replaced the one of its cursor', async () => {
    const folder = new ScriptedFolder(6, { makesUpMissing: true });
    const { list } = await lister(folder, offer);
    const filter = { text: 'a' };
    const first = await list({ filter, limit: 2, fields: ['flags'] });
    expect(first).toMatchObject({ uidValidity: 1, messages: [{ uid: 6 }, { uid: 5 }] });
    folder.replacedBy = new ScriptedFolder(6, {}, 2);
    folder.meanwhile = {
      when: 'within',
      happens: () => {
        folder.gone = true;
      },
    };
    const cursor = (first as { nextCursor: string }).nextCursor;
    const next = await list({ filter, limit: 2, cursor, fields: ['size'] }).catch((error) => error);
    if (!(next instanceof Error)) expect(next).toMatchObject({ uidValidity: 1, messages: [{ uid: 4 }, { uid: 3 }] });
    else expect(next).toMatchObject({ data: { kind: 'STATE_CHANGED' } });
  });
});
