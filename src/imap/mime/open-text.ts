import type { Structure } from '../../protocol/models.js';
import { decodeCharset } from './charset.js';
import { unflow } from './flowed.js';
import { splitFooter } from './transfer/base64-footer.js';
import { decodeTransfer } from './transfer/transfer-decoder.js';

/** A text or html body, decoded. */
export interface Content {
  content: string;
  truncated: boolean;
  charset: string | null;
  charsetProblem: boolean;
}

/** A part that is to be fetched, and the most decoded bytes that are wanted of it. */
export interface WantedText {
  node: Structure;
  maxBytes: number;
}

/** Most texts of one message that are fetched; for further ones, which no person wrote, only the part is returned. */
const MAX_TEXTS = 100;

/** Most encoded bytes per decoded byte. A Map, because the sender of a mail chooses the name that is looked up. */
const expansion = new Map([
  ['base64', 1.5],
  ['quoted-printable', 3.2],
  ['x-uuencode', 1.5],
  ['uuencode', 1.5],
  ['x-uue', 1.5],
  ['uue', 1.5],
]);

/** How many encoded bytes of a part are needed for `maxBytes` decoded ones, and to see whether there are more. */
export function encodedBound({ encoding }: Pick<Structure, 'encoding'>, maxBytes: number): number {
  return Math.ceil(maxBytes * expansionOf(encoding)) + 4;
}

function expansionOf(encoding: string | null): number {
  return expansion.get(encoding ?? '') ?? 1;
}

/**
 * What to fetch so that each body has up to `maxBytes` decoded bytes; never more than a few times that, however many
 * parts there are. Before they are fetched, parts count with the smallest decoded size that their encoding allows.
 */
export function textsWanted(bodies: readonly (readonly Structure[])[], maxBytes: number): WantedText[] {
  const wanted: WantedText[] = [];
  share(bodies, maxBytes, (node, left) => {
    wanted.push({ node, maxBytes: left });
    return Math.floor((node.encodedSize ?? 0) / expansionOf(node.encoding));
  });
  return wanted;
}

/**
 * The decoded texts of bodies, by part; the texts of a body together have at most `maxBytes` decoded bytes.
 * @param encodedOf the encoded bytes of a part, undefined where they were not fetched
 */
export function decodeTexts(
  bodies: readonly (readonly Structure[])[],
  maxBytes: number,
  encodedOf: (node: Structure) => Buffer | undefined,
): Map<string, Content> {
  const contents = new Map<string, Content>();
  const planned = new Map(textsWanted(bodies, maxBytes).map((wanted) => [wanted.node, wanted.maxBytes]));
  share(bodies, maxBytes, (node, left) => {
    const encoded = encodedOf(node);
    const most = Math.min(left, planned.get(node) ?? 0);
    if (!encoded || most <= 0) return 0;
    const { bytes, ...content } = decodePart(node, encoded, most, encodedBound(node, most));
    contents.set(node.part, content);
    return bytes;
  });
  return contents;
}

/**
 * Offers each text of the bodies once, {@link MAX_TEXTS} at most, with the bytes that are left for it. For a text in
 * both bodies, that is what the fuller body has left.
 * @param take returns how many bytes the text uses
 */
function share(
  bodies: readonly (readonly Structure[])[],
  maxBytes: number,
  take: (node: Structure, left: number) => number,
): void {
  const left = bodies.map(() => maxBytes);
  const members = bodies.map((body) => new Set(body));
  let offered = 0;
  for (const node of new Set(bodies.flat())) {
    if (offered === MAX_TEXTS) return;
    if (!node.type.startsWith('text/')) continue;
    const within = members.flatMap((body, index) => (body.has(node) ? [index] : []));
    const room = Math.min(...within.map((index) => left[index] ?? 0));
    if (room <= 0) continue;
    offered += 1;
    const taken = take(node, room);
    for (const index of within) left[index] = (left[index] ?? 0) - taken;
  }
}

/** The text of a whole part, with LF line ends; `charset` as declared, null where it is missing. */
export function decodeWhole(encoded: Buffer, encoding: string | null, charset: string | null): string {
  return decodeCharset(decodeWithFooter(encoded, encoding), charset).text.replaceAll('\r\n', '\n');
}

/** Undoes a transfer encoding; a footer that a mailing list put behind base64 stays as it is. */
function decodeWithFooter(encoded: Buffer, encoding: string | null): Buffer {
  const [body, footer] = encoding === 'base64' ? splitFooter(encoded) : [encoded, undefined];
  const decoded = decodeTransfer(body, encoding);
  return footer ? Buffer.concat([decoded, footer]) : decoded;
}

function decodePart(node: Structure, encoded: Buffer, maxBytes: number, fetched: number): Content & { bytes: number } {
  const { encoding, encodedSize, parameters, type } = node;
  const decoded = decodeWithFooter(encoded.subarray(0, fetched), encoding);
  const truncated = decoded.length > maxBytes || (encoded.length >= fetched && fetched < (encodedSize ?? 0));
  const bytes = decoded.subarray(0, maxBytes);
  const charset = parameters.charset ?? null;
  const { text, problem } = decodeCharset(bytes, charset, truncated);
  const lines = (truncated ? text.replace(/\r$/, '') : text).replaceAll('\r\n', '\n');
  const flowed = type === 'text/plain' && parameters.format?.toLowerCase() === 'flowed';
  const content = flowed ? unflow(lines, parameters.delsp?.toLowerCase() === 'yes') : lines;
  return { content, truncated, charset, charsetProblem: problem, bytes: bytes.length };
}
