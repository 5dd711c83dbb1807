import { describe, expect, it } from 'vitest';
import { Rows } from '../../src/view/rows.js';
import { LIST_FIELDS, rowOf } from './kept-mail.js';

const FLAGS = '["\\\\Seen"]';

describe('kept rows', () => {
  it('are written as they came, in the fields that are asked for and no others', () => {
    const rows = new Rows();
    const row = rowOf(7, 'other scripts');
    rows.add(row);
    expect(JSON.parse(rows.json(7, LIST_FIELDS, FLAGS))).toEqual({ ...row, flags: ['\\Seen'] });
    const { uid, size, internalDate } = row;
    expect(JSON.parse(rows.json(7, ['size', 'internalDate'], FLAGS))).toEqual({ uid, size, internalDate });
    expect(JSON.parse(rows.json(7, [], FLAGS))).toEqual({ uid });
    expect(rows.json(7, ['flags'], FLAGS)).toBe('{"uid":7,"flags":["\\\\Seen"]}');
  });

  it('tell a message without a preview from one whose preview is not known', () => {
    const rows = new Rows();
    rows.add({ uid: 1, preview: null });
    rows.add({ uid: 2, size: 3 });
    rows.add({ uid: 3, preview: '' });
    expect([1, 2, 3].map((uid) => rows.has(uid, ['preview']))).toEqual([true, false, true]);
    expect(JSON.parse(rows.json(1, ['preview'], FLAGS))).toEqual({ uid: 1, preview: null });
    expect(JSON.parse(rows.json(3, ['preview'], FLAGS))).toEqual({ uid: 3, preview: '' });
  });

  it('keep what is nothing: no size, no attachment', () => {
    const rows = new Rows();
    rows.add({ uid: 1, size: 0, hasAttachment: false });
    expect(rows.has(1, ['size', 'hasAttachment'])).toBe(true);
    expect(JSON.parse(rows.json(1, ['size', 'hasAttachment'], FLAGS))).toEqual({
      uid: 1,
      size: 0,
      hasAttachment: false,
    });
  });

  it.each([
    ['quotes, backslashes and line ends', '"\\\r\n\t\0'],
    ['separators of lines in JavaScript', '\u2028\u2029'],
    ['Latin-1', 'Grüße'],
    ['characters beyond the first plane', '🐙 𝔘𝔫𝔦𝔠𝔬𝔡𝔢'],
    ['half a character', '\ud83d'],
  ])('are JSON whatever is in them: %s', (_what, preview) => {
    const rows = new Rows();
    rows.add({ uid: 1, preview });
    const json = rows.json(1, ['preview'], FLAGS);
    expect(JSON.parse(json)).toEqual({ uid: 1, preview });
    expect(Buffer.from(json).toString()).toBe(json);
  });

  it('get fields that were fetched later, and are complete then', () => {
    const rows = new Rows();
    const { envelope, ...rest } = rowOf(1);
    if (envelope) rows.add({ uid: 1, envelope });
    expect(rows.has(1, ['envelope', 'flags'])).toBe(true);
    expect(rows.has(1, ['envelope', 'size'])).toBe(false);
    rows.add(rest);
    expect(rows.has(1, LIST_FIELDS)).toBe(true);
    expect(rows.size).toBe(1);
  });

  it('of a message of which nothing is asked but flags are always there', () => {
    expect(new Rows().has(1, ['flags'])).toBe(true);
    expect(new Rows().has(1, ['flags', 'size'])).toBe(false);
  });

  it('leave nothing behind, however they go', () => {
    const rows = new Rows();
    const fill = () => {
      for (let uid = 1; uid <= 10; uid += 1) rows.add(rowOf(uid));
    };
    fill();
    fill();
    for (let uid = 1; uid <= 11; uid += 1) rows.remove(uid);
    expect([rows.size, rows.bytes]).toEqual([0, 0]);
    fill();
    rows.keep(3);
    expect([7, 8, 9, 10].map((uid) => rows.has(uid, ['size']))).toEqual([false, true, true, true]);
    rows.keep(5);
    rows.clear();
    expect([rows.size, rows.bytes]).toEqual([0, 0]);
  });
});
