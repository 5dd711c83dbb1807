import type { TomlError } from 'smol-toml';
import { headerOf, maySay, nodeAt } from './plain-words.js';
import { numberMeant, numberWanted, quantityOf } from './quantities.js';

/** What is wrong where a text is no TOML, with its line: what to write instead, where the mistake is a usual one. */
export function tomlProblem(text: string, error: TomlError): string {
  const lines = text.split(/\r?\n/);
  if (/^\s*\{/.test(text))
    return 'line 1: this is JSON, but the configuration must be TOML: docs/sample.toml is an example';
  const line = lines[error.line - 1] ?? '';
  const advice = ofLine(line, error.message);
  if (advice !== undefined) return `line ${error.line}: ${advice}`;
  const [what = ''] = error.message.replace(/^Invalid TOML document: /, '').split('\n');
  return `line ${error.line}: not valid TOML: ${what}`;
}

function ofLine(line: string, message: string): string | undefined {
  if (/[“”„‟‘’‚«»]/.test(line.replace(/#.*$/, ''))) return 'has typographic quotes: use "';
  if (/^\s*(?:\/\/|;|--)/.test(line)) return 'comments begin with #';
  const [, header] = /^\s*\[+\s*([\w.-]*)/.exec(line) ?? [];
  if (header !== undefined && !line.includes('=')) return ofHeader(header, line, message);
  const [, yamlKey, yamlValue] = /^\s*(?:- )?["']?([\w-]+)["']?\s*:(.*)$/.exec(line) ?? [];
  if (yamlKey !== undefined) {
    const wanted = headerOf(yamlKey) ?? `${yamlKey} = ${mayRepeat(yamlKey) ? quoted(yamlValue ?? '') : '...'}`;
    return `${yamlKey}: has a colon: write ${wanted}`;
  }
  const [, key, value] = /^\s*["']?([\w-]+)["']?\s*=\s*(.*?)\s*$/.exec(line) ?? [];
  if (key === undefined || value === undefined) {
    return line.includes('=') || !/^\s*[\w"']/.test(line) ? undefined : 'there is no = between key and value';
  }
  const problem = message.includes('redefine') ? 'is there twice' : ofValue(key, value, message);
  return problem && `${key}: ${problem}`;
}

function ofHeader(name: string, line: string, message: string): string | undefined {
  const header = headerOf(name);
  if (message.includes('redefine')) {
    if (header?.startsWith('[['))
      return `${name}: can be given several times, so each needs double brackets: ${header}`;
    return `${name}: is given twice: put the keys into one table`;
  }
  const wanted = header ?? `[${name}]`;
  return line.replace(/#.*$/, '').trim() === wanted ? undefined : `brackets are missing or wrong: write ${wanted}`;
}

/** What is wrong with a value, in words that follow its key. */
function ofValue(key: string, whole: string, message: string): string | undefined {
  if (/^["']/.test(whole)) {
    if (message.includes('escape')) return 'has a backslash: double it, or use single quotes';
    return isClosed(whole) ? undefined : 'lacks the closing quote';
  }
  if (/^[[{]/.test(whole))
    return /^\[[^"']*\]?$/.test(whole) ? 'must be a list of quoted strings: ["...", "..."]' : undefined;
  const value = whole.replace(/\s*#.*$/, '');
  if (value === '') return 'has no value';
  const boolean = /^(?:(true|yes|on)|false|no|off)$/i.exec(value);
  if (boolean && typeIn(key) === 'boolean')
    return `must be true or false: write ${key} = ${boolean[1] ? 'true' : 'false'}`;
  const meant = numberMeant(key, value);
  if (meant !== undefined && (quantityOf(key) !== undefined || typeIn(key) === 'number')) {
    return `${numberWanted(key)}: write ${key} = ${meant}`;
  }
  return `needs quotes: write ${key} = ${mayRepeat(key) ? quoted(value) : '"..."'}`;
}

function isClosed(value: string): boolean {
  return /^(?:"(?:[^"\\]|\\.)*"|'[^']*')\s*(?:#.*)?$/.test(value);
}

/** A value as TOML has it: numbers, lists and texts that are in quotes already stay. */
function quoted(value: string): string {
  const text = value.replace(/\s+#.*$/, '').trim();
  if (text === '') return '...';
  return /^(?:["'[{].*|\d+(?:\.\d+)?|true|false)$/.test(text) ? text : JSON.stringify(text);
}

/** Whether the value of a key may be repeated: of keys that are not known here it may be a secret. */
function mayRepeat(key: string): boolean {
  return maySay(key) && typeIn(key) !== undefined;
}

/** The type of a key, in the first table that has it. */
function typeIn(key: string): string | undefined {
  for (const section of Object.keys(nodeAt([])?.properties ?? {})) {
    const { items, properties } = nodeAt([section]) ?? {};
    const table = (items as typeof properties)?.properties ?? properties;
    const type = (table as Record<string, { type?: string }> | undefined)?.[key]?.type;
    if (type !== undefined) return type === 'integer' ? 'number' : type;
  }
  return undefined;
}
