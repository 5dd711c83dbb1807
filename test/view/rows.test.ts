import { describe, expect, it } from 'vitest';
import { Rows } from '../../src/view/rows.js';
import { fullRowOf, LIST_FIELDS, MORE_FIELDS, rowOf } from './kept-mail.js';

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
    rows.add({ uid: 1, preview: null, previewSource: null });
    rows.add({ uid: 2, size: 3 });
    rows.add({ uid: 3, preview: '', previewSource: 'server' });
    expect([1, 2, 3].map((uid) => rows.has(uid, ['preview']))).toEqual([true, false, true]);
    expect(JSON.parse(rows.json(1, ['preview'], FLAGS))).toEqual({ uid: 1, preview: null, previewSource: null });
    expect(JSON.parse(rows.json(3, ['preview'], FLAGS))).toEqual({ uid: 3, preview: '', previewSource: 'server' });
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
    rows.add({ uid: 1, preview, previewSource: 'broker' });
    const json = rows.json(1, ['preview'], FLAGS);
    expect(JSON.parse(json)).toEqual({ uid: 1, preview, previewSource: 'broker' });
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

  it('have attachments, structure, ids and header lines where these were asked for', () => {
    const rows = new Rows();
    const row = fullRowOf(7, 'other scripts');
    rows.add(row, ['List-Id', 'References', 'X-None']);
    expect(rows.has(7, MORE_FIELDS)).toBe(true);
    const { uid, attachments, structure, emailId, threadId, headers } = row;
    const more = { uid, attachments, structure, emailId, threadId, headers };
    expect(JSON.parse(rows.json(7, MORE_FIELDS, FLAGS))).toEqual(more);
    rows.add(rowOf(8));
    expect(rows.has(8, ['attachments'])).toBe(false);
    expect(rows.has(9, ['structure'])).toBe(false);
  });

  it('keep header lines by name, in any case, and answer with the names of the request', () => {
    const rows = new Rows();
    const value = 'one\ntwo: "three"';
    rows.add({ uid: 1, headers: [{ name: 'Received', value }] }, ['Received', 'List-Id']);
    rows.add({ uid: 2, headers: [] }, ['Received']);
    expect(rows.has(1, [{ headers: ['LIST-ID', 'received'] }])).toBe(true);
    expect(rows.has(1, [{ headers: ['List'] }])).toBe(false);
    expect(rows.lacking([1, 2], [{ headers: ['received', 'list-id'] }])).toEqual([{ headers: ['list-id'] }]);
    rows.add({ uid: 1, headers: [{ name: 'X-A', value: 'a' }] }, ['X-A']);
    const all = JSON.parse(rows.json(1, [{ headers: ['x-a', 'RECEIVED', 'List-Id'] }], FLAGS));
    expect(all.headers).toEqual([
      { name: 'x-a', value: 'a' },
      { name: 'RECEIVED', value },
    ]);
    rows.add({ uid: 1, headers: [] }, ['x-a']);
    expect(JSON.parse(rows.json(1, [{ headers: ['X-A'] }], FLAGS))).toEqual({ uid: 1, headers: [] });
  });

  it('say of header lines that they were cut only where they were', () => {
    const rows = new Rows();
    rows.add({ uid: 1, headers: [{ name: 'A', value: 'a' }], unreadable: ['headers'] }, ['A']);
    rows.add({ uid: 1, headers: [{ name: 'B', value: 'b' }] }, ['B']);
    const unreadable = (names: string[]) => JSON.parse(rows.json(1, [{ headers: names }], FLAGS)).unreadable;
    expect([unreadable(['a']), unreadable(['b']), unreadable(['b', 'a'])]).toEqual([
      ['headers'],
      undefined,
      ['headers'],
    ]);
  });

  it('lack what any message lacks', () => {
    const rows = new Rows();
    rows.add({ uid: 1, size: 1, emailId: null });
    rows.add({ uid: 2, size: 2 });
    expect(rows.lacking([1, 2], ['size', 'flags', 'emailId'])).toEqual(['emailId']);
    expect(rows.lacking([1, 3], ['size', 'flags', 'emailId'])).toEqual(['size', 'emailId']);
    expect(rows.lacking([], ['size'])).toEqual([]);
  });

  it('keep labels until the view is confirmed once more; that there are none, for good', () => {
    const rows = new Rows();
    expect(rows.changesUnheard(['labels'])).toBe(true);
    rows.add({ uid: 1, labels: ['\\Inbox', 'Work'] });
    expect(rows.json(1, ['labels'], FLAGS)).toBe('{"uid":1,"labels":["\\\\Inbox","Work"]}');
    expect([rows.has(1, ['labels']), rows.changesUnheard(['labels'])]).toEqual([true, true]);
    rows.forgetLabels();
    expect(rows.has(1, ['labels'])).toBe(false);
    rows.add({ uid: 1, labels: null });
    rows.forgetLabels();
    expect([rows.has(1, ['labels']), rows.changesUnheard(['labels'])]).toEqual([true, false]);
    expect(rows.json(1, ['labels'], FLAGS)).toBe('{"uid":1,"labels":null}');
    rows.add({ uid: 2, labels: ['a'] });
    for (const uid of [1, 2]) rows.remove(uid);
    expect([rows.size, rows.bytes]).toEqual([0, 0]);
  });
});
