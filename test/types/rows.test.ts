import { describe, expectTypeOf, it } from 'vitest';
import type {
  Client,
  Envelope,
  Field,
  FoundMessage,
  MessageListResult,
  MessageSummary,
  SessionClient,
  Unchanged,
} from '../../src/client/index.js';

type RowOf<T extends (...args: never[]) => Promise<{ messages: unknown[] }>> = Awaited<
  ReturnType<T>
>['messages'][number];

// What is never called: its types are all that is looked at.
const calls = (mail: SessionClient, client: Client, some: Field[]) => ({
  usual: () => mail.message.list({ mailbox: 'INBOX' }),
  named: () => mail.message.list({ mailbox: 'INBOX', fields: ['preview', { headers: ['List-Id'] }] }),
  none: () => client.message.list({ session: 's', mailbox: 'INBOX', fields: [] }),
  unknown: () => mail.message.list({ mailbox: 'INBOX', fields: some }),
  found: () => mail.message.search({ mailboxes: 'all', fields: ['flags'] }),
  kept: (state: string) => mail.message.list({ mailbox: 'INBOX', ifState: state }),
  conversations: () => mail.message.threads({ mailbox: 'INBOX' }),
  changes: () => mail.mailbox.changes({ mailbox: 'INBOX', since: 'a', rows: true, fields: ['size'] }),
  watch: () =>
    mail.watch({
      mailboxes: ['INBOX'],
      fields: ['size'],
      onEvent: (event) => {
        if (event.type !== 'new') return;
        for (const row of event.messages) {
          expectTypeOf(row.size).toEqualTypeOf<number>();
          expectTypeOf(row.envelope).toEqualTypeOf<Envelope | undefined>();
        }
      },
      onResync: () => {},
    }),
});
type Calls = ReturnType<typeof calls>;

describe('the types of rows', () => {
  it('have for certain what `fields` names, by default what the protocol says', () => {
    expectTypeOf<RowOf<Calls['usual']>['envelope']>().toEqualTypeOf<Envelope>();
    expectTypeOf<RowOf<Calls['usual']>['flags']>().toEqualTypeOf<string[]>();
    expectTypeOf<RowOf<Calls['usual']>['preview']>().toEqualTypeOf<string | null | undefined>();
    expectTypeOf<RowOf<Calls['named']>['preview']>().toEqualTypeOf<string | null>();
    expectTypeOf<RowOf<Calls['named']>['headers']>().toEqualTypeOf<{ name: string; value: string }[]>();
    expectTypeOf<RowOf<Calls['named']>['envelope']>().toEqualTypeOf<Envelope | undefined>();
    expectTypeOf<RowOf<Calls['none']>['envelope']>().toEqualTypeOf<Envelope | undefined>();
    expectTypeOf<RowOf<Calls['found']>['flags']>().toEqualTypeOf<string[]>();
    expectTypeOf<RowOf<Calls['found']>>().toExtend<FoundMessage>();
  });

  it('have for certain nothing but the uid where the program finds out what it asks for', () => {
    expectTypeOf<RowOf<Calls['unknown']>>().toEqualTypeOf<MessageSummary>();
  });

  it('are those of conversations, changes and events as well', () => {
    type Thread = Awaited<ReturnType<Calls['conversations']>>['threads'][number];
    expectTypeOf<Thread['messages'][number]['envelope']>().toEqualTypeOf<Envelope>();
    type Changed = NonNullable<Awaited<ReturnType<Calls['changes']>>['rows']>[number];
    expectTypeOf<Changed['size']>().toEqualTypeOf<number>();
  });

  it('are of an answer that may be missing only where a state is sent', () => {
    expectTypeOf<Awaited<ReturnType<Calls['kept']>>>().toExtend<MessageListResult | Unchanged>();
    expectTypeOf<Unchanged>().toExtend<Awaited<ReturnType<Calls['kept']>>>();
  });
});
