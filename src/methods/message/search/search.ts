import { canonicalName } from '../../../imap/wire/mailbox-names.js';
import type { Params, Result } from '../../../protocol/contract.js';
import { BrokerError } from '../../../protocol/errors.js';
import { now } from '../../../runtime/moment.js';
import type { Handler, SessionContext } from '../../context.js';
import { askedFor, canonical } from '../../support/canonical.js';
import { metaOf } from '../../support/meta.js';
import { shareRead } from '../../support/shared.js';
import { EqualSearches } from './equal-searches.js';
import { FolderSearch } from './folder-search.js';
import { DealtConnections, LentConnection } from './search-connections.js';

/** Searches that requests share, for each broker of this process. */
const equalSearches = new WeakMap<SessionContext['services']['views'], EqualSearches<Found>>();

type Found = Awaited<ReturnType<FolderSearch['answer']>>;
type Answer = Omit<Result<'message.search'>, 'meta' | 'explain'>;

/** One folder is searched in one job, which equal requests share; of several folders each few are a job of their own. */
export const searchMessages: Handler<'message.search'> = (context, params) => {
  if (params.cursor !== undefined && params.offset !== undefined) {
    throw new BrokerError('INVALID_PARAMS', 'offset: not together with cursor.', { field: 'offset' });
  }
  const [mailbox, ...others] = Array.isArray(params.mailboxes) ? new Set(params.mailboxes.map(canonicalName)) : [];
  if (mailbox === undefined || others.length > 0 || params.cursor !== undefined) return searchSeveral(context, params);
  return shareRead(context, params, { mailbox }, async (connection) => {
    // Each request that shares the job leaves by its own signal or deadline.
    const shared = { ...context, signal: new AbortController().signal, deadlineAt: Number.POSITIVE_INFINITY };
    return (await new FolderSearch(shared, params, new LentConnection(connection)).answer()).answer;
  });
};

/** As `shareRead` does, but for a request that takes several jobs. */
async function searchSeveral(context: SessionContext, params: Params<'message.search'>) {
  const { account, services, signal } = context;
  const { views } = services;
  const { maxAgeMs = 0 } = params;
  const key = `${context.method} ${canonical(askedFor(params))}`;
  signal.throwIfAborted();
  const kept = maxAgeMs > 0 ? views.recallAnswer(account.key, key, maxAgeMs) : undefined;
  if (kept) {
    return { ...(JSON.parse(kept.json) as Answer), meta: metaOf({ source: 'cache', asOf: new Date(kept.asked.date) }) };
  }
  const begin = async () => {
    const asked = now();
    const found = await new FolderSearch(context, params, new DealtConnections(context)).answer();
    if ((maxAgeMs > 0 || views.hasAnswer(account.key, key)) && services.sessions.hasAccount(account.key)) {
      const ago = Math.max(0, asked.date - found.asOf);
      views.keepAnswer(account.key, key, { at: asked.at - ago, date: found.asOf }, () => JSON.stringify(found.answer));
    }
    return found;
  };
  const searches = equalSearches.get(views) ?? new EqualSearches<Found>();
  equalSearches.set(views, searches);
  const isWhole = ({ answer: { incomplete } }: Found) => incomplete.length === 0;
  const { value, coalesced } = await searches.run(`${account.key} ${key}`, context, begin, isWhole);
  return {
    ...value.answer,
    meta: metaOf({ source: coalesced ? 'coalesced' : 'server', asOf: new Date(value.asOf) }),
  };
}
