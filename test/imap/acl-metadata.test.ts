import { expect, it } from 'vitest';
import { aclOf } from '../../src/imap/mailboxes/acl.js';
import { metadataOf } from '../../src/imap/mailboxes/metadata.js';
import { opened, scripted } from './scripted.js';

const capabilities = 'IMAP4rev1 NAMESPACE ACL METADATA';

it('of an access control list without end 1,000 entries are told, those of other folders and odd ones not at all', async () => {
  const pairs = Array.from({ length: 3000 }, (_, at) => `u${at} lr`).join(' ');
  const server = await scripted({
    capabilities,
    on: {
      GETACL: (command, peer) =>
        peer.send(
          '* ACL other x lr',
          `* ACL INBOX ${'y'.repeat(321)} lr "a\x07" lr b "l r" c`,
          `* ACL INBOX ${pairs}`,
          `${command.tag} OK done`,
        ),
    },
  });
  const entries = await aclOf(await opened(server), 'INBOX');
  expect(entries).toHaveLength(1000);
  expect(entries[0]).toEqual({ identifier: 'u0', rights: 'lr' });
});

it('annotations that were not asked for, that are too long or that are no text are not told', async () => {
  const server = await scripted({
    capabilities,
    on: {
      GETMETADATA: (command, peer) =>
        peer.send(
          `* METADATA INBOX (/shared/other "x" /Shared/Comment "y" /private/long {65537}\r\n${'z'.repeat(65_537)})`,
          '* METADATA INBOX (/private/nil NIL /private/list (a b))',
          `${command.tag} OK done`,
        ),
    },
  });
  const connection = await opened(server);
  const asked = ['/shared/comment', '/private/long', '/private/nil', '/private/list'];
  expect(await metadataOf(connection, 'INBOX', asked)).toEqual([
    { entry: '/shared/comment', value: 'y' },
    { entry: '/private/long', value: null },
    { entry: '/private/nil', value: null },
    { entry: '/private/list', value: null },
  ]);
  expect(server.received.at(-1)).toMatch(
    / GETMETADATA \(MAXSIZE 65536\) "INBOX" \(\/shared\/comment \/private\/long \/private\/nil \/private\/list\)$/,
  );
});
