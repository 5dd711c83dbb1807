import { z } from 'zod';
import { configSchema, type Reload } from './schema.js';

/** What a reload does with each key of the schema, such as `pool.connections`, and with each table, such as `pool`. */
function reloadsOf(): Map<string, Reload> {
  const found = new Map<string, Reload>();
  const note = (key: string, node: z.core.JSONSchema._JSONSchema, inherited: Reload): Reload => {
    const own = typeof node === 'object' ? (node.reload as Reload | undefined) : undefined;
    found.set(key, own ?? inherited);
    return own ?? inherited;
  };
  const { properties = {} } = z.toJSONSchema(configSchema, { io: 'input' });
  for (const [section, node] of Object.entries(properties)) {
    const table = typeof node === 'object' && node.items && !Array.isArray(node.items) ? node.items : node;
    const reload = note(section, node, note(section, table, 'restart'));
    if (typeof table !== 'object') continue;
    for (const [name, value] of Object.entries(table.properties ?? {})) note(`${section}.${name}`, value, reload);
  }
  return found;
}

const reloads = reloadsOf();

/** What a reload does with a key, whose entry is given by name (`server.main.port`) or by number (`server[0].port`). */
function reloadOf(key: string): Reload {
  const [section = ''] = /^\w+/.exec(key) ?? [];
  const [, name = ''] = /\.(\w+)$/.exec(key) ?? [];
  return reloads.get(`${section}.${name}`) ?? reloads.get(section) ?? 'restart';
}

/** Whether a new value of a key holds after a reload, without a restart. */
export function isLive(key: string): boolean {
  return reloadOf(key) === 'live';
}

/** Whether a key names a certificate's file: one that the same listener, or the monitor, has already is read again. */
export function isCertificate(key: string): boolean {
  return reloadOf(key) === 'content';
}

/** What tells a listener from others: where it listens. */
export function placeOf(entry: Partial<Record<'systemd' | 'unix' | 'host' | 'port', unknown>>): string {
  return String(entry.systemd ?? entry.unix ?? `${entry.host}:${entry.port}`);
}
