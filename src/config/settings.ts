import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { pathOf } from './files.js';
import { isCertificate, isLive, placeOf } from './live-keys.js';
import type { ConfigFile } from './schema.js';

/** What a configuration says, by key, as text that is compared; of files that a reload reads again, the content as well. */
export type Settings = ReadonlyMap<string, string>;

/** What is different in another configuration. */
export interface Changes {
  /** Keys that hold from now on, such as `pool.connections` or `server.example.port`. */
  changed: string[];
  /** Keys that hold after a restart alone. */
  restart: string[];
}

/** The settings of a configuration file. @param folder what paths in it are relative to */
export function settingsOf(file: ConfigFile, folder: string): Settings {
  const settings = new Map<string, string>();
  const add = (prefix: string, entries: object) => {
    for (const [name, value] of Object.entries(entries)) {
      if (value === undefined) continue;
      const key = `${prefix}.${name}`;
      // Keys that were rotated in a key file are taken up without a reload, and are no reason for a restart.
      const isReadAgain = name.endsWith('_file') && (isLive(key) || isCertificate(key));
      const content = isReadAgain && typeof value === 'string' ? ` ${digestOf(pathOf(value, folder, key))}` : '';
      settings.set(key, JSON.stringify(value) + content);
    }
  };
  for (const [section, value] of Object.entries(file)) {
    if (value === undefined) continue;
    if (!Array.isArray(value)) add(section, value);
    else if (value.some((entry) => typeof entry === 'string')) settings.set(section, JSON.stringify(value));
    for (const entry of Array.isArray(value) ? value : []) {
      if (typeof entry === 'string') continue;
      const name = `${section}.${nameOf(entry)}`;
      settings.set(name, 'there');
      add(name, entry);
    }
  }
  return settings;
}

/** Which keys are different; of a table that came or went, its name alone. */
export function changesOf(before: Settings, after: Settings): Changes {
  const keys = [...new Set([...before.keys(), ...after.keys()])].filter((key) => before.get(key) !== after.get(key));
  const tables = keys.filter((key) => (before.get(key) ?? after.get(key)) === 'there');
  const topmost = keys.filter((key) => !tables.some((table) => key.startsWith(`${table}.`))).sort();
  const stays = (key: string) => !key.startsWith('monitor.') || monitorPlace(before) === monitorPlace(after);
  const isReadAgain = (key: string) => isCertificate(key) && before.has(key) && after.has(key) && stays(key);
  const holds = (key: string) => isLive(key) || isReadAgain(key);
  return { changed: topmost.filter(holds), restart: topmost.filter((key) => !holds(key)) };
}

/** The settings that hold after a change: those that need a restart keep their values. */
export function effective(before: Settings, after: Settings, { restart }: Changes): Settings {
  const concerned = (key: string) => restart.some((name) => key === name || key.startsWith(`${name}.`));
  return new Map([...[...after].filter(([key]) => !concerned(key)), ...[...before].filter(([key]) => concerned(key))]);
}

function nameOf(entry: { name?: string } & Parameters<typeof placeOf>[0]): string {
  return entry.name ?? placeOf(entry);
}

function monitorPlace(settings: Settings): string {
  const [unix, host, port] = ['unix', 'host', 'port'].map((key) => settings.get(`monitor.${key}`));
  return placeOf({ unix, host, port });
}

function digestOf(path: string): string {
  try {
    return createHash('sha256').update(readFileSync(path)).digest('hex');
  } catch {
    // The file was readable a moment ago, or is not read at all.
    return '';
  }
}
