import { startRelay } from '../../support/relay.js';
import { AGED } from '../broker-way.js';
import type { Ending } from '../ending.js';
import { measure, type Row, ratio, type Way } from '../measure.js';
import { PhpWorker } from '../php-worker.js';
import { atMost, comparison, type Section } from '../report.js';
import { FAR_DELAY_MS, type Stage, type Ways } from '../stage.js';

const [OWN, PER_VIEW, KEPT] = ['IMAP of its own', 'broker, socket per view', 'broker, one socket'];

/** What a page view of PHP costs: through the broker, and with a connection to the IMAP server of its own. */
export async function phpPage({ dovecot, broker, near, far, effort, quick }: Stage, ending: Ending): Promise<Section> {
  const worker = new PhpWorker();
  ending.later(() => worker.stop());
  const relay = await startRelay(dovecot.tlsPort, { delayMs: FAR_DELAY_MS });
  ending.later(() => relay.close());
  const rows: Row[] = [];
  const table: string[][] = [];
  for (const [place, ways, port] of [
    ['near', near, dovecot.tlsPort],
    ['at 20 ms', far, relay.port],
  ] as const) {
    const found = await measure(waysOf(place, ways, port), { ...effort, rounds: quick ? 3 : 20, warmUp: 30 }, [1]);
    rows.push(...found);
    const [head = [], ...lines] = comparison(found, `${place}: ${OWN}`);
    if (table.length === 0) table.push(head.map((title) => title.replace('near: ', '')));
    table.push(...lines);
  }
  return {
    title: 'A page view of PHP',
    text: `The newest 50 of an INBOX of 2,000 messages, shown by one PHP process that is there already, as a worker of PHP-FPM is. IMAP of its own: it connects over TLS, logs
in, selects, fetches and logs out, in plain PHP that does not parse the rows. Through the broker: the client of clients/php on a Unix socket, which it opens and closes for each
view, or keeps as a worker that stays can; validated, and aged. At 20 ms a relay before the server delays each byte by 10 ms in each direction.`,
    table,
    data: rows,
    targets: [
      atMost(
        'PHP page view: time',
        ratio(rows, `near: ${PER_VIEW}, validated`, `near: ${OWN}`),
        0.25,
        ' of IMAP of its own',
      ),
      atMost(
        'PHP page view at 20 ms: time',
        ratio(rows, `at 20 ms: ${PER_VIEW}, validated`, `at 20 ms: ${OWN}`),
        0.25,
        ' of IMAP of its own',
      ),
    ],
  };

  function waysOf(place: string, { broker: { session } }: Ways, port: number): Way[] {
    const { password, caPath: caFile } = dovecot;
    const imap = { way: 'imap', port, user: 'click', password, caFile };
    const view = (way: string, maxAgeMs: number) => {
      return () => worker.show({ way, url: broker.url, token: 'webmail', session, maxAgeMs });
    };
    const slow: Pick<Way, 'burst' | 'warmUp'> = { burst: 2, warmUp: 3 };
    return [
      { name: `${place}: ${OWN}`, run: () => worker.show(imap), ...slow },
      { name: `${place}: ${PER_VIEW}, validated`, run: view('view', 0) },
      { name: `${place}: ${PER_VIEW}, aged`, run: view('view', AGED.maxAgeMs) },
      { name: `${place}: ${KEPT}, validated`, run: view('kept', 0) },
      { name: `${place}: ${KEPT}, aged`, run: view('kept', AGED.maxAgeMs) },
    ];
  }
}
