import type { Mail } from './state.js';

/** Different contents of messages; few, so that the same message comes back. */
export const CONTENTS = 6;

/** The messages that histories are made of: so few that the same come back, no two of the same size. */
export function mailOf(content: number): string {
  const zero = `0${content}`;
  return [
    `From: Sender ${content} <sender${content}@example.com>`,
    `To: Receiver <receiver@example.com>`,
    `Subject: Content ${content}`,
    `Date: Mon, 06 May 2024 07:08:${zero} +0000`,
    `Message-ID: <content${content}@example.com>`,
    '',
    bodyOf(content),
    '',
  ].join('\r\n');
}

/** When a client's message arrived; the broker's arrive in another year. */
export function arrivalOf(content: number): string {
  return `1${content}-Jun-2024 01:02:03 +0000`;
}

/** The text that belongs to a message, by its subject. */
export function textOf({ envelope }: Mail): string {
  return bodyOf(Number(envelope.subject.replace('Content ', '')));
}

function bodyOf(content: number): string {
  return `Body ${'x'.repeat(1 + content * 7)}`;
}
