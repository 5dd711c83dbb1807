import type { Result } from '../protocol/contract.js';
import { isCertificate, isLive, placeOf } from './live-keys.js';
import { type ConfigFile, portOf } from './schema.js';

/** One value of the configuration, and where it comes from. */
export type Setting = Result<'config.get'>['settings'][number];

/** Names of keys that must not be shown, in whatever table. */
const SECRET = /token|secret|password/;
/** Permissions, which people read in octal. */
const MODE = /(^|\.)mode$/;

/**
 * Every value that holds, key by key, without secrets.
 * @param given what the file or the flags say; the rest is by default
 */
export function shownSettings(file: ConfigFile, given: unknown, source: Setting['source']): Setting[] {
  return settingsIn(withImplied(file), given, '', source);
}

/** Adds the values that follow from others where they are not given. */
function withImplied(file: ConfigFile) {
  const { admin } = file;
  return {
    ...file,
    listener: file.listener.map((one) => (one.unix === undefined ? one : { ...one, mode: one.mode ?? 0o660 })),
    server: file.server.map((one) => ({ ...one, port: portOf(one), servername: one.servername ?? one.host })),
    admin: admin.socket === undefined ? admin : { ...admin, mode: admin.mode ?? 0o600 },
  };
}

/** The settings that hold after a file was read again. */
export function settingsAfter(before: readonly Setting[], next: readonly Setting[]): Setting[] {
  const places = new Map(next.filter(({ key }) => isCertificate(key)).map((one) => [placed(one.key, next), one]));
  const stays = before.filter(({ key }) => !isLive(key));
  const readAgain = stays.map((one) => ({ ...one, ...places.get(placed(one.key, before)), key: one.key }));
  return [...readAgain, ...next.filter(({ key }) => isLive(key))];
}

/** A key of a listener with where that listens in place of its number, which another file may give to another one. */
function placed(key: string, settings: readonly Setting[]): string {
  const [, entry = '', name] = /^(.*)\.(\w+)$/.exec(key) ?? [];
  if (!isCertificate(key)) return key;
  const saidOf = (one: string) => settings.find((setting) => setting.key === `${entry}.${one}`)?.value;
  const [systemd, unix, host, port] = ['systemd', 'unix', 'host', 'port'].map(saidOf);
  return `${entry.replace(/\[\d+\]$/, '')} ${placeOf({ systemd, unix, host, port })} ${name}`;
}

function settingsIn(value: unknown, given: unknown, key: string, source: Setting['source']): Setting[] {
  if (value === undefined) return [];
  if (Array.isArray(value) && value.some(isTable)) {
    return value.flatMap((one, index) => settingsIn(one, memberOf(given, index), `${key}[${index}]`, source));
  }
  if (isTable(value)) {
    return Object.entries(value).flatMap(([name, one]) =>
      settingsIn(one, memberOf(given, name), key === '' ? name : `${key}.${name}`, source),
    );
  }
  return [{ key, value: shown(key, value), source: given === undefined ? 'default' : source }];
}

function shown(key: string, value: unknown): Setting['value'] {
  if (key === 'shared.url') return withoutPassword(String(value));
  if (SECRET.test(key.replace(/^.*\./, ''))) return Array.isArray(value) ? `${value.length} of them` : 'is set';
  if (Array.isArray(value)) return value.map(String);
  if (typeof value === 'number') return MODE.test(key) ? `0o${value.toString(8)}` : value;
  return typeof value === 'boolean' ? value : String(value);
}

/** A URL whose password, which may be in it, is not shown. */
function withoutPassword(url: string): string {
  return url.replace(/^(\w+:\/\/).*@/, '$1***@');
}

function isTable(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function memberOf(given: unknown, name: string | number): unknown {
  return typeof given === 'object' && given !== null ? (given as Record<string, unknown>)[name] : undefined;
}
