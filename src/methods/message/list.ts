import type { Params } from '../../protocol/contract.js';
import type { Field } from '../../protocol/rows.js';
import { isEverything } from '../../view/lists/dependence.js';
import { isUnchanged, unchangedJson } from '../../view/state.js';
import type { PreparedHandler } from '../context.js';
import { jobOf } from '../support/job.js';
import { Prepared } from '../support/prepared.js';
import { requireSame } from '../support/same-folder.js';
import { type Answering, counted, inFolderOrder, requireFitting, searched } from './listings.js';

/** Pages, counts and whole lists of uids of one folder. */
export const listMessages: PreparedHandler<'message.list'> = async (context, params) => {
  requireFitting(params);
  const { mailbox, filter, sort, limit, cursor, offset, countOnly, ifState, maxAgeMs = 0 } = params;
  const fields = [...new Set(params.fields)];
  const answering = answeringOf(params, fields);
  // Where both are given, both must hold.
  const expected = [params.uidValidity, answering.uidValidity].filter((value) => value !== undefined);
  const which = { filter, sort, limit, cursor, offset, countOnly, fields, uidValidity: params.uidValidity, ifState };
  const reader = context.services.views.reader(context.account.key, mailbox);
  // What the server does not tell of by itself is asked for in any case.
  const unheard = reader.view.rows.changesUnheard(fields);
  const { value, origin } = await reader.read<string>(context.account, {
    key: JSON.stringify(['list', which]),
    maxAgeMs: unheard ? 0 : maxAgeMs,
    job: jobOf(context, { effect: 'read', mailbox }),
    fromMemory: (view) => {
      if (!expected.every((value) => value === view.uidValidity)) return undefined;
      const { of } = answering;
      if (ifState !== undefined && !unheard && of && isUnchanged(view, ifState, of)) return unchangedJson(ifState);
      return answering.known(view);
    },
    fetch: async (view, connection) => {
      for (const value of expected) requireSame(mailbox, view.uidValidity, value);
      return answering.fetched(view, connection);
    },
  });
  return new Prepared(value, origin);
};

function answeringOf(params: Params<'message.list'>, fields: readonly Field[]): Answering {
  const { sort, countOnly } = params;
  const filter = isEverything(params.filter) ? undefined : params.filter;
  if (countOnly) return counted({ filter, sort: undefined });
  return filter || sort ? searched(params, { filter, sort }, fields) : inFolderOrder(params, fields);
}
