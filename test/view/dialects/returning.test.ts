import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { openLanes } from '../../model/lane.js';
import { type Dialect, type DialectName, startDialect } from '../../support/dialects.js';
import { Manners } from '../../support/unoffered.js';
import { appends } from '../visitor.js';

const COUNT = 10;

/** A user who has looked at a folder, and then at another on the same connection. */
async function returning(dialect: Dialect) {
  const lines: string[] = [];
  const { lanes, close } = await openLanes(dialect, 1, new Manners(dialect.offered), (line) => lines.push(line));
  onTestFinished(close);
  const [lane] = lanes;
  if (!lane) throw new Error('no lane');
  const mailbox = `${dialect.prefix}Work`;
  await lane.other().all(`CREATE "${mailbox}"`, ...appends(mailbox, COUNT));
  const list = async (name: string) => (await lane.ask(0, 'message.list', { mailbox: name, limit: 5 })).messages;
  await list(mailbox);
  await list('INBOX');
  return {
    change: (...commands: string[]) => lane.other().all(`SELECT "${mailbox}"`, ...commands, 'UNSELECT'),
    /** Looks at the other folder again. */
    leave: () => list('INBOX'),
    arrive: () => lane.other().all(...appends(mailbox, 1)),
    /** What is shown on return: uids with flags; and the commands that it costs. */
    back: async () => {
      lines.length = 0;
      const shown = (await list(mailbox)).map(({ uid, flags }) => [uid, ...(flags ?? [])].join(' '));
      return { shown, commands: lines.map(plain) };
    },
  };
}

/** A command without its tag, its folder and numbers of the server's own. */
function plain(line: string): string {
  return line
    .replace(/^\S+ /, '')
    .replace(/^(SELECT|EXAMINE) (?:"[^"]*"|\S+)/, '$1')
    .replace(/QRESYNC \(\d+ \d+[^)]*\)/, 'QRESYNC')
    .replace(/CHANGEDSINCE \d+/, 'CHANGEDSINCE');
}

const expunge = (set: string) => [`UID STORE ${set} +FLAGS.SILENT (\\Deleted)`, `UID EXPUNGE ${set}`];

const flags = 'UID FETCH 6:* (UID FLAGS)';
const since = 'UID FETCH 6:* (UID FLAGS) (CHANGEDSINCE)';
const found = 'UID SEARCH RETURN (ALL) UID 6:*';
const news = 'UID FETCH 11:* (UID FLAGS)';
const newRow = 'UID FETCH 11 (UID RFC822.SIZE INTERNALDATE ENVELOPE)';
const rowBelow = 'FETCH 5:5 (UID FLAGS RFC822.SIZE INTERNALDATE ENVELOPE)';

type Commands = readonly string[];
/** What each thing that happened meanwhile costs, behind the SELECT. */
interface Costs {
  select: string;
  nothing: Commands;
  flagged: Commands;
  arrived: Commands;
  vanished: Commands;
  both: Commands;
  below: Commands;
}

const noticing: Omit<Costs, 'select'> = {
  nothing: [flags],
  flagged: [flags],
  arrived: [flags, newRow],
  vanished: [flags, rowBelow],
  both: [flags, newRow],
  below: [flags],
};

const costs: [DialectName, Costs][] = [
  [
    'full',
    {
      select: 'SELECT (QRESYNC)',
      nothing: [],
      flagged: [],
      arrived: [news, newRow],
      vanished: [rowBelow],
      both: [news, newRow],
      below: [],
    },
  ],
  [
    'without QRESYNC',
    {
      select: 'SELECT',
      nothing: [],
      flagged: [since],
      arrived: [since, newRow],
      vanished: [since, found, rowBelow],
      both: [since, found, newRow],
      below: [since, found],
    },
  ],
  ['without CONDSTORE', { select: 'SELECT', ...noticing }],
  ['bare', { select: 'SELECT', ...noticing }],
];

describe.each(costs)('on return to a folder of a server that is %s', (name, cost) => {
  let dialect: Dialect;
  beforeAll(async () => {
    dialect = await startDialect(name);
  });
  afterAll(() => dialect.dovecot.stop());

  it('nothing that has changed costs the least', async () => {
    const { back } = await returning(dialect);
    const expected = { shown: ['10', '9', '8', '7', '6'], commands: [cost.select, ...cost.nothing] };
    expect(await back()).toEqual(expected);
  });

  it('flags that were changed are noticed, and back again', async () => {
    const { change, leave, back } = await returning(dialect);
    await change('UID STORE 8 +FLAGS.SILENT (\\Flagged)');
    const commands = [cost.select, ...cost.flagged];
    expect(await back()).toEqual({ shown: ['10', '9', '8 \\Flagged', '7', '6'], commands });
    await leave();
    await change('UID STORE 8 -FLAGS.SILENT (\\Flagged)');
    expect(await back()).toEqual({ shown: ['10', '9', '8', '7', '6'], commands });
  });

  it('a new message is noticed', async () => {
    const { arrive, back } = await returning(dialect);
    await arrive();
    const commands = [cost.select, ...cost.arrived];
    expect(await back()).toEqual({ shown: ['11', '10', '9', '8', '7'], commands });
  });

  it('a message that vanished in the middle is noticed', async () => {
    const { change, back } = await returning(dialect);
    await change(...expunge('8'));
    const commands = [cost.select, ...cost.vanished];
    expect(await back()).toEqual({ shown: ['10', '9', '7', '6', '5'], commands });
  });

  it('one that vanished when another came is noticed, though there are as many as before', async () => {
    const { change, arrive, back } = await returning(dialect);
    await change(...expunge('8'));
    await arrive();
    const commands = [cost.select, ...cost.both];
    expect(await back()).toEqual({ shown: ['11', '10', '9', '7', '6'], commands });
  });

  it('one that vanished below those that were looked at changes nothing that is shown', async () => {
    const { change, leave, back } = await returning(dialect);
    await change(...expunge('2'));
    const commands = [cost.select, ...cost.below];
    expect(await back()).toEqual({ shown: ['10', '9', '8', '7', '6'], commands });
    await leave();
    expect((await back()).commands).toEqual([cost.select, ...cost.nothing]);
  });
});
