import { storeFlags } from '../../imap/messages/store.js';
import { BrokerError } from '../../protocol/errors.js';
import type { Handler } from '../context.js';
import { changing, findingAll } from './on-existing.js';

const handle: Handler<'message.flag'> = async (context, params) => {
  const { action, flags } = params;
  if (flags.length === 0 && action !== 'set') refuse(`flags: nothing to ${action}.`);
  if (flags.some((flag) => flag.toLowerCase() === '\\recent')) refuse('flags: only the server sets \\Recent.');
  const uids = [...new Set(params.uids)];
  const stored = new Map<number, string[]>();
  await changing(context, params, (connection) =>
    findingAll(connection, { ...params, uids }, async (some) => {
      const found = await storeFlags(connection, some, action, flags);
      for (const [uid, now] of found) stored.set(uid, now);
      return found.keys();
    }),
  );
  return {
    messages: uids.flatMap((uid) => {
      const now = stored.get(uid);
      return now ? [{ uid, flags: now }] : [];
    }),
    notFound: uids.filter((uid) => !stored.has(uid)),
  };
};

function refuse(message: string): never {
  throw new BrokerError('INVALID_PARAMS', message, { field: 'flags' });
}

export default handle;
