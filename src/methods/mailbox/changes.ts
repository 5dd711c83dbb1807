import { learnAll } from '../../view/learn.js';
import type { MailboxView } from '../../view/mailbox-view.js';
import { stateOf, versionOf } from '../../view/state.js';
import type { Handler } from '../context.js';
import { jobOf } from '../support/job.js';
import { metaOf } from '../support/meta.js';

const handle: Handler<'mailbox.changes'> = async (context, { mailbox, since, maxAgeMs = 0 }) => {
  const reader = context.services.views.reader(context.account.key, mailbox);
  const { value, origin } = await reader.read(context.account, {
    key: JSON.stringify(['changes', since]),
    maxAgeMs,
    job: jobOf(context, { effect: 'read', mailbox }),
    known: (view) => (view.placed && view.members.unknownOnTop === 0 ? changesSince(view, since) : undefined),
    fetch: async (view, connection) => {
      await learnAll(view, connection);
      return changesSince(view, since);
    },
  });
  return { ...value, meta: metaOf(origin) };
};

function changesSince(view: MailboxView, since: string) {
  const { uidValidity = 0, members, log } = view;
  const version = versionOf(view, since);
  const changes = version === undefined ? undefined : log.since(version);
  const { added, changed, removed } = changes ?? { added: [], changed: [], removed: [] };
  return {
    complete: changes !== undefined,
    uidValidity,
    state: stateOf(view),
    total: members.exists,
    added,
    changed: changed.map((uid) => ({ uid, flags: JSON.parse(members.flagsOf(uid) ?? '[]') as string[] })),
    removed,
  };
}

export default handle;
