import { expect } from 'vitest';
import type { Read, Surprise } from './commands.js';
import { HANGS_MS } from './lane.js';
import { read } from './reads.js';
import type { Slot, World } from './world.js';
import { write } from './writes.js';

/**
 * Lets another client write while the broker idles on the folder, and reads as soon as the server has told that client
 * that it is done: what the server has not told of in the IDLE must be in the answer.
 */
export async function surprise(world: World, command: Surprise): Promise<void> {
  const { folder } = command.write;
  const slot = world.slot(folder);
  if (slot.timeline.now) await idleOn(world, slot);
  await write(world, command.write);
  world.unsteady = !['append', 'flag', 'expunge', 'move', 'copy'].includes(command.write.do);
  world.lane.tally.surprises += 1;
  await read(world, 'folder' in command.read ? ({ ...command.read, folder } satisfies Read) : command.read);
  world.unsteady = false;
}

/** Has the broker watch this folder and no other, and waits until it idles there. */
async function idleOn(world: World, { name }: Slot): Promise<void> {
  const { lane } = world;
  if (world.watching !== name) {
    if (world.watching !== undefined) await lane.ask(0, 'watch.stop', {});
    world.watching = name;
    await lane.ask(0, 'watch.start', { mailboxes: [name] });
  }
  expect(await lane.relay.untilIdle(name, HANGS_MS), `the broker idles on ${name}`).toBe(true);
}
