import { isDeepStrictEqual } from 'node:util';
import { expect } from 'vitest';
import type { Result } from '../../src/protocol/contract.js';
import { LeanImap } from '../support/lean-imap.js';
import { FOLDERS, type History, type Pick } from './commands.js';
import type { Outcome, PageStart } from './expected.js';
import { type Lane, MAKES } from './lane.js';
import { readSnapshot, ServerTrouble, type State, snapshotCommands } from './state.js';
import { isInTime, Timeline } from './timeline.js';

/** What a caller knows of a folder by message.list and mailbox.changes. */
export interface Knowledge {
  state: string;
  uidValidity: number;
  /** The highest uid when it was shown the first page: what is above came later. */
  top: number;
  /** Of messages that it was shown or told of. */
  uids: Set<number>;
  /** Of those that it was shown. */
  flags: Map<number, string[]>;
}

/** A name, what it stood for, and what callers remember of it. */
export interface Slot {
  readonly name: string;
  readonly timeline: Timeline;
  page?: PageStart | undefined;
  /** Where the next page of each filter begins. */
  readonly found: Map<string, PageStart>;
  /** Lists as they were answered last, by what was asked, with their states. */
  readonly kept: Map<string, { state: string; shown: unknown }>;
  uidValidity?: number | undefined;
  knowledge?: Knowledge | undefined;
  /** The last answer of message.threads, and what was asked. */
  conversations?: { question: string; answer: Result<'message.threads'> } | undefined;
}

/** The folders of one history on a server, with all that they have been. */
export class World {
  readonly lane: Lane;
  readonly slots: readonly Slot[];
  /**
   * Connections are being broken, or the server ends those of which the folder is gone: a read that has lost one already
   * may lose the next, which the broker then tells.
   */
  unsteady = false;
  /** The name of the folder that the broker watches. */
  watching: string | undefined;
  #turn = 0;
  #spoiled = false;
  /** Those of the broker's commands up to the last look that may have taken messages away. */
  #takings: number;
  /** Those that may have made a folder. */
  #makings: number;

  constructor(lane: Lane, slots: Slot[]) {
    this.lane = lane;
    this.slots = slots;
    this.#takings = lane.takings();
    this.#makings = lane.makings();
  }

  /** Makes the folders that a history begins with. */
  static async make(lane: Lane, start: History['start']): Promise<World> {
    await lane.revive();
    const names = Array.from({ length: FOLDERS }, (_, index) => lane.newName(index));
    const commands = start.flatMap((count, index) => [
      `CREATE "${names[index]}"`,
      ...Array.from({ length: count }, (_, content) => lane.append(names[index] ?? '', content, [])),
    ]);
    const states = await lane.observe(commands, names);
    // A list of all folders may be from before.
    const madeAt = Date.now();
    return new World(
      lane,
      names.map((name, index) => ({
        name,
        timeline: new Timeline(states[index], madeAt),
        found: new Map(),
        kept: new Map(),
      })),
    );
  }

  /** Takes all of its folders away. */
  async end(): Promise<void> {
    const { lane, slots } = this;
    await lane.revive();
    if (this.watching !== undefined) await lane.ask(0, 'watch.stop', {});
    const { remove } = lane.served;
    if (remove)
      return remove(
        lane.user,
        slots.map(({ name }) => name),
      );
    await lane
      .other()
      .send(...slots.map(({ name }) => `DELETE "${name}"`))
      .catch((error: unknown) => {
        // The server may refuse to delete a folder that it has spoiled.
        if (lane.other().open) throw error;
      });
  }

  /** The same folders for a reader whose answers count for nothing, because others write meanwhile. */
  bystander(): World {
    return new Bystander(
      this.lane,
      this.slots.map((slot) => ({ ...slot })),
    );
  }

  /** Holds what a connection that was made this moment sees against what the folders are said to be. */
  async confirm(): Promise<void> {
    const states = await this.#seenAnew();
    for (const [index, { name, timeline }] of this.slots.entries()) expect(states[index], name).toEqual(timeline.now);
  }

  /**
   * Whether the server itself has put another folder under a name. Now and then Dovecot does when one was deleted and made
   * again while a connection had the old one selected: it takes the new one for damaged, makes an empty one or one with
   * other uids, brings back the old one, takes messages away, or says BYE to a client that looks on.
   */
  async isSpoiled(failure: unknown): Promise<boolean> {
    if (failure instanceof ServerTrouble || this.#spoiled || !this.lane.other().open) return true;
    try {
      const states = await this.#seenAnew();
      const known = this.slots.map(({ timeline }) => timeline.now);
      return (
        known.some((state, index) => state?.uidValidity !== states[index]?.uidValidity) || this.#isTaken(known, states)
      );
    } catch (error) {
      if (error instanceof ServerTrouble) return true;
      throw error;
    }
  }

  /** The socket of the next request: they take turns. */
  get socket(): number {
    this.#turn += 1;
    return this.#turn % 2;
  }

  slot(index: number): Slot {
    const slot = this.slots[index];
    if (!slot) throw new Error(`no folder ${index}`);
    return slot;
  }

  /** Another client writes, step by step: each leaves a state that others may see. Answers the state behind the last. */
  async byClient(slots: readonly Slot[], ...steps: string[][]): Promise<void> {
    const names = slots.map(({ name }) => name);
    for (const step of steps) {
      const makes = step.some((command) => MAKES.test(` ${command}`));
      this.#note(slots, await this.lane.observe(step, names), 'client', makes);
    }
  }

  /** Looks at what has become of folders that the broker was to write to. */
  async observe(slots: readonly Slot[], written: boolean): Promise<void> {
    const names = slots.map(({ name }) => name);
    this.#note(slots, await this.lane.observe([], names), written ? 'broker' : 'client');
  }

  /**
   * Holds an outcome against what the folder was.
   * @throws when no state that it may show explains it
   */
  verify(
    slot: Slot,
    asked: { sentAt: number; maxAgeMs: number; asOf?: string | undefined },
    actual: Outcome,
    expected: (state: State) => Outcome,
  ): void {
    if (this.unsteady && 'error' in actual && actual.error === 'CONNECTION_LOST') {
      this.lane.tally.lostReads += 1;
      return;
    }
    const { sentAt, maxAgeMs, asOf } = asked;
    if (asOf !== undefined && !isInTime(sentAt, maxAgeMs, asOf)) {
      expect.fail(
        `${slot.name}: asked at ${new Date(sentAt).toISOString()}, maxAgeMs ${maxAgeMs}, but answered as of ${asOf}`,
      );
    }
    const allowed = slot.timeline.allowed(sentAt, maxAgeMs, asOf).map(expected);
    if (allowed.some((outcome) => isDeepStrictEqual(outcome, actual))) return;
    if (allowed.length === 1) expect(actual, `${slot.name}, as a fresh connection sees it`).toEqual(allowed[0]);
    expect(allowed, `${slot.name}, in some state of the last ${maxAgeMs} ms`).toContainEqual(actual);
  }

  async #seenAnew(): Promise<State[]> {
    const { served, user } = this.lane;
    const client = await LeanImap.open(served.server.plainPort, user, served.server.password);
    const states: State[] = [];
    try {
      for (const { name } of this.slots) states.push(readSnapshot(await client.send(...snapshotCommands(name))));
      return states;
    } catch (error) {
      // Dovecot takes a folder that was just made again for one that was deleted under the client that looks.
      throw client.open ? error : new ServerTrouble((error as Error).message);
    } finally {
      await client.close();
    }
  }

  /** Whether messages are gone though the broker has sent nothing since the last look that takes messages away. */
  #isTaken(before: readonly State[], after: readonly State[]): boolean {
    const count = (states: readonly State[]) => states.reduce((sum, state) => sum + (state?.mails.length ?? 0), 0);
    return this.lane.takings() === this.#takings && count(after) < count(before);
  }

  #note(slots: readonly Slot[], states: readonly State[], by: 'client' | 'broker', made = false): void {
    const known = slots.map(({ timeline }) => timeline.now);
    if (by === 'broker' && this.#isTaken(known, states)) this.#spoiled = true;
    this.#takings = this.lane.takings();
    const mayBeMade = made || this.lane.makings() !== this.#makings;
    this.#makings = this.lane.makings();
    for (const [index, { timeline }] of slots.entries()) {
      const [before, after] = [timeline.now?.uidValidity, states[index]?.uidValidity];
      // The server brings back a folder that was deleted while a connection had it selected.
      if (before === undefined && after !== undefined && !mayBeMade) this.#spoiled = true;
      // Of all that is done here nothing turns one folder into another in one step.
      if (before !== undefined && after !== undefined && before !== after) this.#spoiled = true;
      // Cyrus takes the messages away before the folder, and tells so.
      if (timeline.now && !states[index]) timeline.note({ ...timeline.now, mails: [] }, by);
      timeline.note(states[index], by);
    }
  }
}

class Bystander extends World {
  override verify(): void {}
}

/** Uids of the messages that are meant, as the folder is now. */
export function uidsOf({ timeline }: Slot, { of, places }: Pick): number[] {
  const uids = (timeline.now?.mails ?? []).map(({ uid }) => uid);
  if (of === 'all') return uids;
  if (of === 'newest') return uids.slice(-1);
  if (of === 'oldest') return uids.slice(0, 1);
  return uids.length === 0 ? [] : [...new Set(places.map((place) => uids[place % uids.length] ?? 0))];
}
