import type { Write } from './commands.js';
import { outcomeOf } from './expected.js';
import { mailOf } from './mails.js';
import { appendCommand, type Slot, uidsOf, type World } from './world.js';

/** Lets a write happen, and looks what it has made of the folders. */
export async function write(world: World, command: Write): Promise<void> {
  if ('by' in command && command.by === 'broker') await brokerWrites(world, command);
  else await clientWrites(world, command);
}

async function clientWrites(world: World, command: Write): Promise<void> {
  const slot = world.slot(command.folder);
  const { name } = slot;
  const here = slot.timeline.now;
  const work = (...commands: string[]) => [`SELECT "${name}"`, ...commands, 'UNSELECT'];
  const set = 'pick' in command ? uidsOf(slot, command.pick).join(',') : '';
  const other = 'to' in command ? world.slot(command.to) : slot;
  switch (command.do) {
    case 'append':
      // The server stores one after the other, whoever looks on.
      return world.byClient(
        [slot],
        ...command.contents.map((content) => [appendCommand(name, content, command.flags)]),
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
      return world.byClient([slot, other], work(`UID ${command.do} ${set} "${other.name}"`));
    case 'create':
    case 'delete':
      return world.byClient([slot], [`${command.do} "${name}"`]);
    case 'rename':
      if (!here || other === slot) return;
      return world.byClient([slot, other], [`DELETE "${other.name}"`], [`RENAME "${name}" "${other.name}"`]);
    case 'recreate': {
      const contents = (here?.mails ?? []).map((_, index) => index % 3);
      return world.byClient(
        [slot],
        [`DELETE "${name}"`],
        [`CREATE "${name}"`],
        ...contents.map((content) => [appendCommand(name, content, [])]),
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

async function brokerWrites(world: World, command: Extract<Write, { by: string }>): Promise<void> {
  const slot = world.slot(command.folder);
  const other = 'to' in command ? world.slot(command.to) : slot;
  const request = requestOf(world, command, slot, other);
  if (!request) return;
  const outcome = await outcomeOf(request.answer);
  // What was refused is no write: answers may be older than it.
  const written = 'ok' in outcome || outcome.error === 'CONNECTION_LOST';
  await world.observe(other === slot ? [slot] : [slot, other], written);
  if ('ok' in outcome) {
    const { notFound = [] } = outcome.ok as { notFound?: number[] };
    if (notFound.length > 0) throw new Error(`${command.do} by the broker did not find ${notFound.join()}`);
    if (request.mustFail) throw new Error(`${command.do} was to be refused`);
    request.check?.(outcome.ok);
    return;
  }
  // A connection that was broken, or whose folder is gone, may be noticed by the very write.
  if (outcome.error === 'CONNECTION_LOST') {
    world.lane.tally.lostWrites += 1;
    return;
  }
  if (!request.mustFail || !['NOT_FOUND', 'IMAP_NO'].includes(outcome.error)) {
    throw new Error(`${command.do} by the broker: ${outcome.error}`);
  }
}

interface Request {
  answer: Promise<unknown>;
  mustFail: boolean;
  /** Looks at the answer, once the state behind it is known. */
  check?: (result: unknown) => void;
}

function requestOf(
  world: World,
  command: Extract<Write, { by: string }>,
  slot: Slot,
  other: Slot,
): Request | undefined {
  const { lane, socket } = world;
  const { offered } = lane.dialect;
  const { name: mailbox, timeline } = slot;
  const here = timeline.now;
  const there = other.timeline.now;
  const uids = 'pick' in command ? uidsOf(slot, command.pick) : [];
  if ('pick' in command && uids.length === 0) return undefined;
  const folder = { mailbox, uidValidity: here?.uidValidity ?? 1, uids };
  switch (command.do) {
    case 'append': {
      const [content = 0] = command.contents;
      const data = Buffer.from(mailOf(content)).toString('base64');
      const internalDate = `2023-06-1${content}T01:02:03.000Z`;
      return {
        answer: lane.ask(socket, 'message.append', { mailbox, data, flags: command.flags, internalDate }),
        mustFail: !here,
        check: (result) => {
          const { uid } = result as { uid: number | null };
          if (uid === null && !offered.has('UIDPLUS')) return;
          const newest = timeline.now?.mails.at(-1)?.uid;
          if (uid !== newest) throw new Error(`append answered uid ${uid}, but the newest is ${newest}`);
        },
      };
    }
    case 'flag': {
      const { action, flags } = command;
      return { answer: lane.ask(socket, 'message.flag', { ...folder, action, flags }), mustFail: false };
    }
    case 'expunge':
      return { answer: lane.ask(socket, 'message.delete', folder), mustFail: !offered.has('UIDPLUS') };
    case 'move':
    case 'copy': {
      if (other === slot) return undefined;
      const method = command.do === 'move' ? 'message.move' : 'message.copy';
      const able = command.do === 'copy' || offered.has('MOVE') || offered.has('UIDPLUS');
      return { answer: lane.ask(socket, method, { ...folder, destination: other.name }), mustFail: !there || !able };
    }
    case 'create':
      return { answer: lane.ask(socket, 'mailbox.create', { mailbox }), mustFail: false };
    case 'delete':
      return { answer: lane.ask(socket, 'mailbox.delete', { mailbox }), mustFail: !here };
    case 'rename':
      if (other === slot) return undefined;
      return {
        answer: lane.ask(socket, 'mailbox.rename', { mailbox, newName: other.name }),
        mustFail: !here || there !== undefined,
      };
  }
}
