import { storeFlags } from '../../imap/store.js';
import { BrokerError } from '../../protocol/errors.js';
import type { Handler } from '../context.js';
import { onExisting } from './on-existing.js';

const handle: Handler<'message.flag'> = async (context, params) => {
  const { action, flags, uids } = params;
  if (flags.length === 0 && action !== 'set') refuse(`flags: nothing to ${action}.`);
  if (flags.some((flag) => flag.toLowerCase() === '\\recent')) refuse('flags: only the server sets \\Recent.');
  const { value: stored } = await onExisting(context, params, (connection, found) =>
    storeFlags(connection, found, action, flags),
  );
  const asked = [...new Set(uids)];
  return {
    messages: asked.flatMap((uid) => {
      const now = stored.get(uid);
      return now ? [{ uid, flags: now }] : [];
    }),
    notFound: asked.filter((uid) => !stored.has(uid)),
  };
};

function refuse(message: string): never {
  throw new BrokerError('INVALID_PARAMS', message, { field: 'flags' });
}

export default handle;
