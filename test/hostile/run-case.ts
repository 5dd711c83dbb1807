import { contract } from '../../src/protocol/contract.js';
import type { WireError } from '../../src/protocol/errors.js';
import type { Outcome } from '../support/frame-client.js';
import type { Waits } from '../support/healthy-user.js';
import type { HostileArena, LogLine } from '../support/hostile-arena.js';
import type { HostileServer } from '../support/hostile-imap.js';
import { type Ending, type HostileCase, PASSWORD, type Step } from './case.js';

/** Milliseconds that a request of a case may take where it names nothing else. */
const TIMEOUT_MS = 10_000;
/** Milliseconds after the last answer within which the broker has taken what is still sent, or closed the connection. */
const SETTLED_MS = 30_000;
/** The largest frame that may carry an error: its texts are cut at 1 KiB each. */
const ERROR_BYTES = 8 * 1024;
const LOG_LINE_BYTES = 16 * 1024;
const CONTROLS = /\p{Cc}/u;

/** What was seen of one case. */
export interface CaseReport {
  outcomes: Outcome[];
  healthy: Waits;
  /** By which the broker's memory grew at most. */
  growthBytes: number;
  /** What should not have been. */
  problems: string[];
}

/** Runs one case beside the healthy user of the arena; never rejects because of what the broker does. */
export async function runCase(arena: HostileArena, hostile: HostileCase): Promise<CaseReport> {
  const server = arena.servers.get(hostile.name);
  if (!server) throw new Error(`The arena has no server for ${hostile.name}.`);
  const problems: string[] = [];
  const logged = arena.log().length;
  const faults = arena.client.faults.length;
  const before = arena.residentBytes;
  arena.resetPeak();
  arena.healthy.start();
  const { outcomes, session } = await ask(arena, hostile, problems);
  if (hostile.until) await inTime(server.received(hostile.until), `no ${hostile.until} was sent`, problems);
  await inTime(server.settled(), 'the server could neither send all nor was it cut off', problems);
  if (session !== undefined) await arena.client.request('session.close', { session }, TIMEOUT_MS);
  const healthy = await arena.healthy.stop();
  const growthBytes = arena.peakBytes - before;
  problems.push(...arena.client.faults.slice(faults));
  const log = arena.log().slice(logged);
  if (!arena.running) problems.push(`the broker ended: ${JSON.stringify(log.at(-1))}`);
  if (healthy.failed > 0) problems.push(`${healthy.failed} requests of the healthy user failed`);
  problems.push(...faultsOfLog(log), ...faultsAfter(hostile, server, log));
  return { outcomes, healthy, growthBytes, problems };
}

/** @returns the session, where it is still of use */
async function ask(
  arena: HostileArena,
  hostile: HostileCase,
  problems: string[],
): Promise<{ outcomes: Outcome[]; session?: string }> {
  const { name: server, login, loginError, steps } = hostile;
  const outcomes: Outcome[] = [];
  const params = { server, user: 'mallory', auth: { password: PASSWORD } };
  const opening: Step = {
    method: 'session.open',
    params,
    ...(login && { ends: login }),
    ...(loginError && { error: loginError }),
  };
  const opened = await arena.client.request('session.open', params, TIMEOUT_MS);
  outcomes.push(opened);
  problems.push(...faultsOf(opening, opened));
  const { session } = (opened.result ?? {}) as { session?: string };
  if (session === undefined) return { outcomes };
  for (const step of steps) {
    for (let time = step.times ?? 1; time > 0; time -= 1) {
      const earlier = outcomes.map(({ result }) => result as Record<string, unknown> | undefined);
      const given = typeof step.params === 'function' ? step.params(earlier) : step.params;
      const outcome = await arena.client.request(step.method, { session, ...given }, step.timeoutMs ?? TIMEOUT_MS);
      outcomes.push(outcome);
      problems.push(...faultsOf(step, outcome));
      // Others would not be answered either.
      if (outcome.unanswered !== undefined) return { outcomes };
    }
  }
  return { outcomes, session };
}

/** A request whose end may be `any`: a result, or an error that tells of no defect of the broker. */
type Checked = Omit<Step, 'ends'> & { ends?: Step['ends'] | 'any' };

/** What is wrong with the end of a request. */
export function faultsOf(step: Checked, outcome: Outcome): string[] {
  const { method, ends = ['result'] } = step;
  const { result, error, unanswered } = outcome;
  if (unanswered !== undefined) return [`${method}: ${unanswered}`];
  const ending: Ending = error ? error.data.kind : 'result';
  if (ends === 'any' ? ending === 'INTERNAL' : !ends.includes(ending)) {
    const wanted = ends === 'any' ? 'a result or another error' : ends.join(' or ');
    return [`${method} ended with ${ending} (${(error?.message ?? '').slice(0, 200)}), not with ${wanted}`];
  }
  const checks = error ? errorChecks(step, error, outcome.bytes) : resultChecks(step, result);
  return checks.map((fault) => `${method}: ${fault}`);
}

function errorChecks(step: Checked, error: WireError, bytes: number): string[] {
  const texts = [error.message, error.data.imap?.text ?? ''];
  return [
    ...(bytes > ERROR_BYTES ? [`an error of ${bytes} bytes`] : []),
    ...(texts.some((text) => CONTROLS.test(text)) ? ['control characters in an error'] : []),
    ...(texts.some((text) => text.includes(PASSWORD)) ? ['the password in an error'] : []),
    ...thrown(() => step.error?.(error)),
  ];
}

function resultChecks(step: Checked, result: unknown): string[] {
  const parsed = contract[step.method].result.safeParse(result);
  const strange = parsed.success ? [] : [`not by the contract: ${parsed.error.message.slice(0, 500)}`];
  // The compiler cannot see that the schema above and this check are of one method.
  return [...strange, ...wrongNumbers(result), ...thrown(() => step.result?.(result as never))];
}

/** No answer has a number below 0, nor one that is not exact. */
function wrongNumbers(result: unknown): string[] {
  const open = [result];
  while (open.length > 0) {
    const next = open.pop();
    if (typeof next === 'number' && (next < 0 || next > Number.MAX_SAFE_INTEGER)) return [`the number ${next}`];
    if (typeof next === 'object' && next !== null) for (const inner of Object.values(next)) open.push(inner);
  }
  return [];
}

function faultsOfLog(log: readonly LogLine[]): string[] {
  return log.flatMap((line) => {
    const text = JSON.stringify(line);
    if (line.level === undefined) return [`a log line that is none: ${text.slice(0, 300)}`];
    if (text.length > LOG_LINE_BYTES) return [`a log line of ${text.length} characters`];
    return text.includes(PASSWORD) ? ['the password in the log'] : [];
  });
}

function faultsAfter({ after }: HostileCase, server: HostileServer, log: LogLine[]): string[] {
  return thrown(() => after?.({ server, log }));
}

function thrown(check: () => void): string[] {
  try {
    check();
    return [];
  } catch (error) {
    return [error instanceof Error ? error.message : String(error)];
  }
}

async function inTime(event: Promise<void>, problem: string, problems: string[]): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<boolean>((resolve) => {
    timer = setTimeout(() => resolve(true), SETTLED_MS);
  });
  if (await Promise.race([event.then(() => false), late])) problems.push(problem);
  clearTimeout(timer);
}
