import { expect } from 'vitest';
import type { Result } from '../../src/protocol/contract.js';
import type { Write } from './commands.js';
import { type BrokerWrite, briefOf, effectOf, type Pair, unnumbered } from './effects.js';
import { outcomeOf } from './expected.js';
import { mailOf } from './mails.js';
import { type Slot, uidsOf, type World } from './world.js';

/** Lets a write happen, and looks what it has made of the folders. */
export async function write(world: World, command: Write): Promise<void> {
  if ('by' in command && command.by === 'broker') await brokerWrites(world, command);
  else await clientWrites(world, command);
}

async function clientWrites(world: World, command: Write): Promise<void> {
  const slot = world.slot(command.folder);
  const { name } = slot;
  const here = slot.timeline.now;
  const { offered } = world.lane.served;
  // Where there is no UNSELECT another folder takes the place: CLOSE would expunge.
  const leave = offered.has('UNSELECT') ? 'UNSELECT' : 'EXAMINE INBOX';
  const work = (...commands: string[]) => [`SELECT "${name}"`, ...commands, leave];
  const set = 'pick' in command ? uidsOf(slot, command.pick).join(',') : '';
  const other = 'to' in command ? world.slot(command.to) : slot;
  switch (command.do) {
    case 'append':
      // The server stores one after the other, whatever clients look on.
      return world.byClient(
        [slot],
        ...command.contents.map((content) => [world.lane.append(name, content, command.flags)]),
      );
    case 'flag': {
      const item = { add: '+FLAGS', remove: '-FLAGS', set: 'FLAGS' }[command.action];
      if (set === '') return;
      return world.byClient([slot], work(`UID STORE ${set} ${item}.SILENT (${command.flags.join(' ')})`));
    }
    case 'expunge':
      if (set === '') return;
      return world.byClient([slot], work(`UID STORE ${set} +FLAGS.SILENT (\\Deleted)`), work(`UID EXPUNGE ${set}`));
    case 'move':
    case 'copy':
      if (set === '' || other === slot) return;
      if (command.do === 'copy' || offered.has('MOVE')) {
        return world.byClient([slot, other], work(`UID ${command.do} ${set} "${other.name}"`));
      }
      // Moving to nowhere would take the messages away.
      if (!other.timeline.now) return;
      return world.byClient(
        [slot, other],
        work(`UID COPY ${set} "${other.name}"`),
        work(`UID STORE ${set} +FLAGS.SILENT (\\Deleted)`),
        work(`UID EXPUNGE ${set}`),
      );
    case 'create':
      return world.byClient([slot], [`CREATE "${name}"`]);
    case 'delete':
      return world.byClient([slot], [`DELETE "${name}"`]);
    case 'rename':
      if (!here || other === slot) return;
      return world.byClient([slot, other], [`DELETE "${other.name}"`], [`RENAME "${name}" "${other.name}"`]);
    case 'recreate': {
      const contents = (here?.mails ?? []).map((_, index) => index % 3);
      return world.byClient(
        [slot],
        [`DELETE "${name}"`],
        [`CREATE "${name}"`],
        ...contents.map((content) => [world.lane.append(name, content, [])]),
      );
    }
    case 'swap':
      if (other === slot) return;
      return world.byClient(
        [slot, other],
        [`RENAME "${name}" "${name}-away"`],
        [`RENAME "${other.name}" "${name}"`],
        [`RENAME "${name}-away" "${other.name}"`],
      );
  }
}

async function brokerWrites(world: World, command: BrokerWrite): Promise<void> {
  const slot = world.slot(command.folder);
  const other = 'to' in command ? world.slot(command.to) : slot;
  const uids = 'pick' in command ? uidsOf(slot, command.pick) : [];
  if (('pick' in command && uids.length === 0) || ('to' in command && other === slot)) return;
  const before = pairOf(slot, other);
  const outcome = await outcomeOf(ask(world, command, slot, other, uids), command.do === 'delete');
  // What was refused is no write: answers may be older than it.
  const written = 'ok' in outcome || outcome.error === 'CONNECTION_LOST';
  await world.observe(other === slot ? [slot] : [slot, other], written);
  if ('ok' in outcome) {
    expect(isPossible(world, command, before), `${command.do} was to be refused`).toBe(true);
    verify(world, command, uids, before, pairOf(slot, other), outcome.ok);
  } else if (outcome.error === 'CONNECTION_LOST') {
    // A connection that was broken, or whose folder is gone, may be noticed by the very write.
    world.lane.tally.lostWrites += 1;
  } else {
    expect(['NOT_FOUND', 'IMAP_NO'], `${command.do} by the broker`).toContain(outcome.error);
    expect(isPossible(world, command, before), `${command.do} was refused: ${outcome.error}`).toBe(false);
  }
}

const pairOf = (slot: Slot, other: Slot): Pair => ({ here: slot.timeline.now, there: other.timeline.now });

function ask(world: World, command: BrokerWrite, slot: Slot, other: Slot, uids: number[]): Promise<unknown> {
  const { lane, socket } = world;
  const { name: mailbox } = slot;
  const folder = { mailbox, uidValidity: slot.timeline.now?.uidValidity ?? 1, uids };
  switch (command.do) {
    case 'append': {
      const [content = 0] = command.contents;
      const data = Buffer.from(mailOf(content)).toString('base64');
      const internalDate = `2023-06-1${content}T01:02:03.000Z`;
      return lane.ask(socket, 'message.append', { mailbox, data, flags: command.flags, internalDate });
    }
    case 'flag': {
      const { action, flags } = command;
      return lane.ask(socket, 'message.flag', { ...folder, action, flags });
    }
    case 'expunge':
      return lane.ask(socket, 'message.delete', folder);
    case 'move':
      return lane.ask(socket, 'message.move', { ...folder, destination: other.name });
    case 'copy':
      return lane.ask(socket, 'message.copy', { ...folder, destination: other.name });
    case 'create':
      return lane.ask(socket, 'mailbox.create', { mailbox });
    case 'delete':
      return lane.ask(socket, 'mailbox.delete', { mailbox });
    case 'rename':
      return lane.ask(socket, 'mailbox.rename', { mailbox, newName: other.name });
  }
}

/** Whether the server can do it. */
function isPossible({ lane }: World, command: BrokerWrite, { here, there }: Pair): boolean {
  const { offered } = lane.served;
  switch (command.do) {
    case 'create':
      return true;
    case 'rename':
      return here !== undefined && there === undefined;
    case 'expunge':
      return here !== undefined && offered.has('UIDPLUS');
    case 'move':
      return there !== undefined && (offered.has('MOVE') || offered.has('UIDPLUS'));
    case 'copy':
      return there !== undefined;
    default:
      return here !== undefined;
  }
}

/** Holds what a write has done and answered against what it was to do. */
function verify(
  { lane }: World,
  command: BrokerWrite,
  uids: readonly number[],
  before: Pair,
  { here, there }: Pair,
  result: unknown,
): void {
  const { uid, messages, notFound } = result as Partial<Result<'message.append'> & Result<'message.flag'>>;
  expect(notFound ?? [], `${command.do} by the broker: not found`).toEqual([]);
  const expected = effectOf(command, before, uids);
  if (command.do === 'rename' && there?.uidValidity !== before.here?.uidValidity) {
    // Courier does so with every folder that it renames.
    expect({ here, there: unnumbered(briefOf(there)) }, 'rename by the broker').toEqual({
      here: undefined,
      there: unnumbered(expected.there),
    });
    return;
  }
  expect({ here: briefOf(here), there: briefOf(there) }, `${command.do} by the broker`).toEqual(
    'to' in command ? expected : { here: expected.here, there: expected.here },
  );
  if (command.do === 'append' && (uid !== null || lane.served.offered.has('UIDPLUS'))) {
    expect(uid, 'append by the broker').toBe(here?.mails.at(-1)?.uid);
  }
  if (command.do === 'flag') {
    const flags = here?.mails
      .filter((mail) => uids.includes(mail.uid))
      .map((mail) => ({ uid: mail.uid, flags: mail.flags }));
    expect(messages, 'flags as the broker answers them').toEqual(
      uids.map((one) => flags?.find((mail) => mail.uid === one)),
    );
  }
}
