import { setTimeout as pause } from 'node:timers/promises';
import { expect } from 'vitest';
import { Cluster } from './cluster.js';
import { Visitors } from './visitors.js';

/** What an IMAP server was asked for. */
export interface Cost {
  commands: number;
  logins: number;
}

/** What a load, which is the same each time, costs the IMAP server behind so many brokers. */
export async function costOf(brokers: number, users: number, perSecond: number, loadMs: number): Promise<Cost> {
  const cluster = await Cluster.start({ brokers });
  try {
    const visitors = await Visitors.open(cluster, users);
    const end = visitors.load('economy', perSecond);
    await pause(loadMs);
    expect((await end()).failed).toEqual([]);
    visitors.close();
    const commands = [...cluster.commands.values()].reduce((sum, count) => sum + count, 0);
    return { commands, logins: await cluster.dovecot.logins() };
  } finally {
    await cluster.stop();
  }
}
