import { describe, expect, it } from 'vitest';
import { fitting } from '../../../src/methods/message/fitting.js';
import type { Result } from '../../../src/protocol/contract.js';
import type { BodyItem } from '../../../src/protocol/models.js';

type Message = Result<'message.get'>['messages'][number];
const ANSWER_BYTES = 4 * 1024 * 1024;

function item(part: string, content: string | null): BodyItem {
  const type = content === null ? 'image/png' : 'text/plain';
  return { part, type, content, truncated: false, charset: null, charsetProblem: false };
}

function messageOf(textBody: BodyItem[]): string {
  return JSON.stringify({ uid: 1, flags: [], textBody, htmlBody: null, attachments: [], truncated: false });
}

describe('the messages of one answer', () => {
  it('are as they were where all fit', () => {
    const messages = [messageOf([item('1', 'a')]), messageOf([item('1', 'b')])];
    expect(fitting(messages)).toBe(messages);
  });

  // Each cut leaves another remainder, down to none.
  it.each([0, 1, 2, 3, 4, 5])('are cut where pictures stand between texts and no room is left: %s', (more) => {
    const text = '\u0001'.repeat(1024 * 1024);
    const body = [item('1'.repeat(1 + more), text), item('2', null), item('3', null), item('4', text)];
    const [told = ''] = fitting([messageOf(body)]);
    expect(Buffer.byteLength(told)).toBeLessThanOrEqual(ANSWER_BYTES);
    const { textBody, truncated } = JSON.parse(told) as Message;
    expect(truncated).toBe(true);
    expect(textBody?.map(({ content, truncated }) => [content?.length ?? null, truncated])).toEqual([
      [expect.any(Number), true],
      [null, false],
      [null, false],
      [0, true],
    ]);
  });
});
