import { z } from 'zod';
import { configSchema } from './schema.js';
import type { Reload } from './schema-parts.js';

/** A schema and the schemas that it wraps: of an optional list of tables, the list and the table. */
function* layersOf(schema: z.core.$ZodType): Generator<z.core.$ZodType> {
  for (let layer: z.core.$ZodType | undefined = schema; layer; ) {
    yield layer;
    const { innerType, element, in: input } = layer._zod.def as unknown as Partial<Record<string, z.core.$ZodType>>;
    layer = innerType ?? element ?? input;
  }
}

function reloadIn(layers: readonly z.core.$ZodType[]): Reload | undefined {
  return layers.map((layer) => z.globalRegistry.get(layer)?.reload as Reload | undefined).find(Boolean);
}

/** What a reload does with each key of the schema, such as `pool.connections`, and with each table, such as `pool`. */
function reloadsOf(): Map<string, Reload> {
  const found = new Map<string, Reload>();
  for (const [section, schema] of Object.entries(configSchema.shape)) {
    const layers = [...layersOf(schema)];
    const reload = reloadIn(layers) ?? 'restart';
    found.set(section, reload);
    const table = layers.find((layer) => layer instanceof z.ZodObject);
    for (const [name, key] of Object.entries(table?.shape ?? {})) {
      found.set(`${section}.${name}`, reloadIn([...layersOf(key)]) ?? reload);
    }
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
