import type { ImapFlow } from 'imapflow';
import { Dovecot } from '../support/dovecot.js';
import { startRelay } from '../support/relay.js';
import { BenchBroker } from './bench-broker.js';
import { BrokerWay } from './broker-way.js';
import { Echo } from './echo.js';
import type { Ending } from './ending.js';
import { giveMail, index, SMALL, writeTemplate } from './fill.js';
import { COUNTED, connect, type FlowActions, onFlow, perClick } from './imapflow-ways.js';
import { Imapproxy } from './imapproxy.js';
import type { Effort, Way } from './measure.js';

/** Half of a round trip of the slow network. */
export const FAR_DELAY_MS = 10;
const FULL: Effort = { rounds: 30, warmUp: 1000, windows: 5, windowMs: 600 };
const QUICK: Effort = { rounds: 4, warmUp: 30, windows: 1, windowMs: 250 };

/** What most scenarios share: servers, and for each way a user with the same mail. */
export interface Stage {
  quick: boolean;
  effort: Effort;
  dovecot: Dovecot;
  broker: BenchBroker;
  echo: Echo;
  near: Ways;
  /** The same behind a network of 20 ms. */
  far: Ways;
}

/** All ways to one Dovecot. */
export interface Ways {
  flow: ImapFlow;
  warm: FlowActions;
  click: FlowActions;
  /** Connecting at each click, to imapproxy; undefined where that is not installed. */
  proxy: FlowActions | undefined;
  broker: BrokerWay;
}

export async function startStage(quick: boolean, ending: Ending): Promise<Stage> {
  const dovecot = await Dovecot.start();
  ending.later(() => dovecot.stop());
  await writeTemplate(dovecot);
  for (const user of ['click', 'proxy', 'warm', 'broker']) {
    giveMail(dovecot, user);
    for (const mailbox of COUNTED) giveMail(dovecot, user, mailbox, SMALL);
    await index(dovecot, user, ['INBOX', ...COUNTED]);
  }
  const farTls = await startRelay(dovecot.tlsPort, { delayMs: FAR_DELAY_MS });
  ending.later(() => farTls.close());
  const farPlain = await startRelay(dovecot.plainPort, { delayMs: FAR_DELAY_MS });
  ending.later(() => farPlain.close());
  const broker = await BenchBroker.start({
    servers: [
      { name: 'near', port: dovecot.tlsPort, caPath: dovecot.caPath },
      { name: 'far', port: farTls.port, caPath: dovecot.caPath },
    ],
  });
  ending.later(() => broker.stop());
  const echo = await Echo.start();
  ending.later(() => echo.stop());
  const ways = (name: string, tls: number, plain: number) => waysTo({ dovecot, broker, name, tls, plain, ending });
  return {
    quick,
    effort: quick ? QUICK : FULL,
    dovecot,
    broker,
    echo,
    near: await ways('near', dovecot.tlsPort, dovecot.plainPort),
    far: await ways('far', farTls.port, farPlain.port),
  };
}

async function waysTo(to: {
  dovecot: Dovecot;
  broker: BenchBroker;
  name: string;
  tls: number;
  plain: number;
  ending: Ending;
}): Promise<Ways> {
  const { password, ca } = to.dovecot;
  const flow = await connect({ port: to.tls, user: 'warm', password, ca });
  to.ending.later(() => flow.close());
  await flow.mailboxOpen('INBOX');
  const proxy = await Imapproxy.start(to.plain);
  if (proxy) to.ending.later(() => proxy.stop());
  return {
    flow,
    warm: onFlow(flow),
    click: perClick({ port: to.tls, user: 'click', password, ca }),
    proxy: proxy && perClick({ port: proxy.port, user: 'proxy', password }),
    broker: await BrokerWay.open(to.broker.client(), to.name, 'broker', password),
  };
}

/** Names of the ways, as tables have them. */
const CLICK = 'connect per click';
const PROXY = 'imapproxy per click';

/** The two ways that connect at each click, where there are two. */
export function perClickWays(
  { click, proxy }: Ways,
  run: (actions: FlowActions) => Promise<void>,
  quick: boolean,
): Way[] {
  // They take so long, imapproxy seconds with many callers, that more would only cost time.
  const few = { burst: 1, warmUp: quick ? 1 : 3, windows: quick ? 0 : 2 };
  const through = proxy === undefined ? [] : [{ name: PROXY, run: () => run(proxy), ...few }];
  return [{ name: CLICK, run: () => run(click), ...few }, ...through];
}
