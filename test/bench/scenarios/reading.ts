import { Dovecot } from '../../support/dovecot.js';
import { BenchBroker } from '../bench-broker.js';
import { BrokerWay } from '../broker-way.js';
import { SEARCHED } from '../content.js';
import type { Ending } from '../ending.js';
import { giveMail, index, writeTemplate } from '../fill.js';
import { measure, type Row, ratio, type Way } from '../measure.js';
import { atLeast, atMost, comparison, type Section, WARM } from '../report.js';
import type { Stage } from '../stage.js';

const [FULL, UNCHANGED, NOOP, ECHO] = ['broker, full answer', 'broker, ifState', 'NOOP by warm imapflow', 'JSON echo'];
/** Rounds of calls that can be made only once each, such as the first page of a folder. */
const FIRSTS = 20;
const FIRST_WARM_UP = 4;
/** Dovecot without what makes sorts, conversations and previews the server's work. */
const LEAN = 'IMAP4rev1 IDLE LITERAL+ UIDPLUS NAMESPACE ENABLE CONDSTORE QRESYNC ESEARCH';
const SEARCHED_FOLDERS = 20;

/** A page that the caller has kept, and asks for again by its state. */
export async function unchangedPage({ near, echo, effort }: Stage): Promise<Section> {
  const page = await near.broker.index();
  const state = page.state ?? '';
  const short = await near.broker.unchanged(state);
  await echo.learn('unchanged', short);
  const rows = await measure(
    [
      { name: NOOP, run: () => near.flow.noop(), burst: 10 },
      { name: FULL, run: () => near.broker.index(), burst: 10 },
      { name: UNCHANGED, run: () => near.broker.unchanged(state), burst: 10 },
      { name: ECHO, run: () => echo.call('unchanged'), burst: 10 },
    ],
    effort,
  );
  const many = { callers: 32, of: 'perSecond' } as const;
  const median = (way: string) => rows.find((row) => row.way === way && row.callers === 1)?.medianMs ?? Number.NaN;
  const allowed = median(NOOP) + 1.5 * median(ECHO);
  return {
    title: 'A page that has not changed',
    text: `The caller has kept the newest 50 of an INBOX of 2,000 messages, and sends the \`state\` of that answer as \`ifState\`. The broker
asks the server during the request whether the folder is as it was, and answers ${Buffer.byteLength(JSON.stringify(short))} bytes. JSON echo: a bare WebSocket server that
sends the same bytes.`,
    table: comparison(rows, FULL),
    data: rows,
    targets: [
      atLeast(
        'unchanged page: calls a second, 32 callers',
        ratio(rows, UNCHANGED, FULL, many),
        2,
        ' times the full answer',
      ),
      atMost('unchanged page: time, one caller', median(UNCHANGED) / allowed, 1, ' of a NOOP and 1.5 echoes'),
    ],
  };
}

/** Pages with a filter, an order or previews: the first time, and again. */
export async function readingPages(stage: Stage, ending: Ending): Promise<Section> {
  const { quick } = stage;
  const firsts = quick ? 2 : FIRSTS;
  const rows: Row[] = [];
  for (const [offers, imapCapability] of [
    ['', undefined],
    [', server without SORT and PREVIEW', LEAN],
  ] as const) {
    const dovecot = await Dovecot.start(imapCapability === undefined ? {} : { imapCapability });
    ending.later(() => dovecot.stop());
    await writeTemplate(dovecot);
    const way = await brokerWay(dovecot, ending);
    const pages: [name: string, params: Parameters<BrokerWay['list']>[1]][] = [
      ['previews', { fields: ['envelope', 'flags', 'preview'] }],
      ['filter and sort', { filter: { from: SEARCHED }, sort: [{ by: 'subject' }] }],
    ];
    for (const [name, params] of pages) {
      const folders = await freshFolders(dovecot, `${name}`, firsts + FIRST_WARM_UP);
      const [kept = ''] = folders;
      await way.list(kept, params);
      rows.push(
        ...(await measure(
          [
            {
              name: `${name}: first${offers}`,
              run: once(folders.slice(1), (folder) => way.list(folder, params)),
              ...few,
            },
            { name: `${name}: again${offers}`, run: () => way.list(kept, params) },
          ],
          { ...stage.effort, rounds: firsts - 1 },
          [1],
        )),
      );
    }
  }
  return {
    title: 'Previews, filters and orders',
    text: `Pages of 50 of folders of 2,000 messages that Dovecot has indexed. First: of a folder that the broker has never listed, on a
connection that is logged in. Again: the same page, confirmed by the server. With previews the rows have envelope, flags and the first words of the text; filter
and sort are all messages of one sender by subject. The lean server offers neither SORT nor PREVIEW: the broker sorts, and makes the previews from a slice of
each text.`,
    table: comparison(rows, 'previews: first'),
    data: rows,
    targets: [],
  };
}

/** A search over folders, and a conversation over folders. */
export async function overFolders(stage: Stage): Promise<Section> {
  const { dovecot, broker, effort, quick } = stage;
  const user = 'folders';
  const names = Array.from({ length: SEARCHED_FOLDERS }, (_, at) => `Folder ${at}`);
  for (const name of names) giveMail(dovecot, user, name);
  await index(dovecot, user, names);
  const way = await BrokerWay.open(broker.client(), 'near', user, dovecot.password);
  const flow = await dovecot.client(user);
  let words = 0;
  const another = () => {
    words += 1;
    return `no such word ${words}`;
  };
  const one = names.slice(0, 1);
  const flowSearch = async () => {
    for (const name of names) {
      await flow.mailboxOpen(name, { readOnly: true });
      await flow.search({ from: SEARCHED }, { uid: true });
    }
  };
  const opened = await way.list(one[0] ?? '', { fields: [], limit: 1 });
  const uid = opened.messages[0]?.uid ?? 0;
  const thread = () =>
    way.conversation({ mailbox: one[0] ?? '', uidValidity: opened.uidValidity, uid, mailboxes: names.slice(0, 3) });
  const rows = await measure(
    [
      { name: WARM, run: flowSearch, burst: 1, warmUp: 2, windows: 0 },
      { name: 'one folder, first', run: () => way.searchIn(one, another()), ...few },
      { name: '20 folders, first', run: () => way.searchIn(names, another()), ...few },
      { name: '20 folders, again', run: () => way.searchIn(names, SEARCHED), burst: 1, warmUp: 2, windows: 0 },
      { name: 'conversation over 3 folders', run: thread, burst: 1, warmUp: 2, windows: 0 },
    ],
    { ...effort, rounds: quick ? 2 : FIRSTS },
    [1],
  );
  await flow.logout();
  return {
    title: 'Over folders',
    text: `A search for a sender in 20 folders of 2,000 messages each, merged by date. First: for a sender that was not searched for before, and
has sent nothing; again: hits are kept for folders whose STATUS is unchanged. Warm imapflow selects and searches the folders one after the other, and fetches nothing.
The conversation is that of one message, over three folders.`,
    table: comparison(rows),
    data: rows,
    targets: [
      atMost(
        'search over 20 folders: time, first',
        ratio(rows, '20 folders, first', 'one folder, first'),
        20,
        ' of one folder',
      ),
    ],
  };
}

const few: Pick<Way, 'burst' | 'warmUp' | 'windows'> = { burst: 1, warmUp: FIRST_WARM_UP, windows: 0 };

async function brokerWay(dovecot: Dovecot, ending: Ending): Promise<BrokerWay> {
  const { tlsPort, caPath, password } = dovecot;
  const broker = await BenchBroker.start({ servers: [{ name: 'main', port: tlsPort, caPath }] });
  ending.later(() => broker.stop());
  return BrokerWay.open(broker.client(), 'main', 'reader', password);
}

async function freshFolders(dovecot: Dovecot, name: string, count: number): Promise<string[]> {
  const folders = Array.from({ length: count }, (_, at) => `${name} ${at}`);
  for (const folder of folders) giveMail(dovecot, 'reader', folder);
  await index(dovecot, 'reader', folders);
  return folders;
}

/** Each call takes another of these. */
function once<T>(all: readonly T[], work: (one: T) => Promise<unknown>): () => Promise<unknown> {
  const left = [...all];
  return () => {
    const next = left.pop();
    if (next === undefined) throw new Error('Nothing is left that was not used before.');
    return work(next);
  };
}
