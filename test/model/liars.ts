import type { Result } from '../../src/protocol/contract.js';
import type { Ask, Lane } from './lane.js';

type Page = Result<'message.list'>;

/** A broker in between that gets messages' pages wrong: `lie` sees the true page and the one that was told before. */
export function lyingAboutPages(lane: Lane, lie: (page: Page, before: Page, maxAgeMs: number) => Page): Lane {
  const told = new Map<string, Page>();
  const ask: Ask = async (socket, method, params) => {
    const result = await lane.ask(socket, method, params);
    if (method !== 'message.list') return result;
    const { maxAgeMs = 0, ...rest } = params as { maxAgeMs?: number };
    const key = JSON.stringify(rest);
    if ('unchanged' in result) return result;
    const page = result as Page;
    const shown = lie(page, told.get(key) ?? page, maxAgeMs);
    told.set(key, shown);
    return shown as typeof result;
  };
  return { ...lane, ask };
}

/** Answers a request about counts as it was answered before, whatever happened since. */
export function lyingAboutCounts(lane: Lane): Lane {
  const told = new Map<string, unknown>();
  const ask: Ask = async (socket, method, params) => {
    if (method !== 'mailbox.status' && method !== 'mailbox.list') return lane.ask(socket, method, params);
    const key = JSON.stringify([method, (params as { mailboxes?: string[] }).mailboxes?.[0]]);
    const { meta, ...result } = (await lane.ask(socket, method, params)) as Result<'mailbox.status'>;
    if (!told.has(key)) told.set(key, result);
    return { ...(told.get(key) as object), meta } as Result<typeof method>;
  };
  return { ...lane, ask };
}

/** What mailbox.changes answers; a lie changes it. */
export interface Told {
  complete: boolean;
  uidValidity: number;
  total: number;
  added: number[];
  changed: { uid: number; flags: string[] }[];
  removed: number[];
}

/** A broker with mailbox.changes, made of whole lists; honest but for the lie. */
export function tellingChanges(lane: Lane, lie: (told: Told) => Partial<Told>): Lane {
  const states = new Map<string, Page>();
  const whole = async (socket: number, mailbox: string) => {
    const page = await lane.ask(socket, 'message.list', { mailbox, limit: 500, fields: ['flags'] });
    const state = `s${states.size}`;
    states.set(state, page);
    return { state, page };
  };
  const ask: Ask = async (socket, method, params) => {
    const result = await lane.ask(socket, method, params);
    if (method !== 'message.list') return result;
    const { state } = await whole(socket, (params as unknown as { mailbox: string }).mailbox);
    return { ...result, state };
  };
  const askPlainly: Lane['askPlainly'] = async (socket, _method, { mailbox, since }) => {
    const before = states.get(String(since));
    const { state, page } = await whole(socket, String(mailbox));
    const { uidValidity, total, meta } = page;
    const flagsOf = (one: Page | undefined) => new Map(one?.messages.map(({ uid, flags = [] }) => [uid, flags]));
    const [then, now] = [flagsOf(before), flagsOf(page)];
    const told: Told = {
      complete: before?.uidValidity === uidValidity,
      uidValidity,
      total,
      added: [...now.keys()].filter((uid) => !then.has(uid)),
      changed: [...now]
        .filter(([uid, flags]) => String(then.get(uid)) !== String(flags))
        .map(([uid, flags]) => ({ uid, flags })),
      removed: [...then.keys()].filter((uid) => !now.has(uid)),
    };
    return { ...told, ...lie(told), state, meta };
  };
  return { ...lane, ask, askPlainly, tellsChanges: true };
}
