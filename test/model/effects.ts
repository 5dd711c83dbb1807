import type { Write } from './commands.js';
import type { Mail, State } from './state.js';

/** A write of the broker's, with the messages that it names. */
export type BrokerWrite = Extract<Write, { by: string }>;

/** The two folders of a write; the second is the first where there is only one. */
export interface Pair {
  here: State;
  there: State;
}

type Brief = { uid: number; flags: string[]; subject: string }[] | undefined;

/** What of a folder a write can change. */
export function briefOf(state: State): Brief {
  return state?.mails.map(({ uid, flags, envelope }) => ({ uid, flags, subject: envelope.subject }));
}

/** The same where the server has numbered the messages anew, under another UIDVALIDITY: without uids and their order. */
export function unnumbered(brief: Brief): unknown[] | undefined {
  return brief?.map(({ flags, subject }) => JSON.stringify([subject, flags])).sort();
}

/** What a write that succeeds makes of the folders as they are. */
export function effectOf(
  command: BrokerWrite,
  { here, there }: Pair,
  uids: readonly number[],
): { here: Brief; there: Brief } {
  const [mine, theirs] = [briefOf(here), briefOf(there)];
  const named = (here?.mails ?? []).filter(({ uid }) => uids.includes(uid));
  const left = mine?.filter(({ uid }) => !uids.includes(uid));
  switch (command.do) {
    case 'append': {
      const { contents, flags } = command;
      return { here: [...(mine ?? []), arrival(here, 0, [...flags].sort(), `Content ${contents[0]}`)], there: theirs };
    }
    case 'flag':
      return { here: mine?.map((mail) => (uids.includes(mail.uid) ? flagged(mail, command) : mail)), there: theirs };
    case 'expunge':
      return { here: left, there: theirs };
    case 'copy':
    case 'move': {
      const copies = named.map(({ flags, envelope }, at) => arrival(there, at, flags, envelope.subject));
      return { here: command.do === 'move' ? left : mine, there: [...(theirs ?? []), ...copies] };
    }
    case 'create':
      return { here: mine ?? [], there: theirs };
    case 'delete':
      return { here: undefined, there: theirs };
    case 'rename':
      return { here: undefined, there: mine };
  }
}

function arrival(folder: State, at: number, flags: string[], subject: string) {
  return { uid: (folder?.uidNext ?? 1) + at, flags, subject };
}

function flagged<M extends Pick<Mail, 'flags'>>(mail: M, { action, flags }: Extract<BrokerWrite, { do: 'flag' }>): M {
  const kept = action === 'set' ? [] : mail.flags.filter((flag) => !flags.includes(flag));
  return { ...mail, flags: [...kept, ...(action === 'remove' ? [] : flags)].sort() };
}
