import type { Envelope } from '../protocol/models.js';

/**
 * An envelope as JSON, with 0 for a sender and a Reply-To that equal `from`. That is so in most mail: RFC 3501 section
 * 7.4.2 has the server repeat the From addresses. The same addresses three times are a quarter of a row.
 */
export function shortEnvelope(envelope: Envelope): string {
  const from = JSON.stringify(envelope.from);
  // No string value can match: in JSON strings each quotation mark has a backslash before it.
  return JSON.stringify(envelope)
    .replace(`"from":${from},"sender":${from},`, () => `"from":${from},"sender":0,`)
    .replace(`"sender":0,"replyTo":${from},`, () => '"sender":0,"replyTo":0,');
}

const SENDER = '],"sender":0,';
const REPLY_TO = '"replyTo":0,';

/** The full JSON of an envelope that {@link shortEnvelope} shortened. */
export function wholeEnvelope(short: string): string {
  const at = short.indexOf(SENDER);
  if (at < 0) return short;
  const from = short.slice(short.indexOf('"from":') + '"from":'.length, at + 1);
  const rest = at + SENDER.length;
  const both = short.startsWith(REPLY_TO, rest);
  const replyTo = both ? `"replyTo":${from},` : '';
  return `${short.slice(0, at + 1)},"sender":${from},${replyTo}${short.slice(both ? rest + REPLY_TO.length : rest)}`;
}
