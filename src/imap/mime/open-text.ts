import type { Structure } from '../../protocol/models.js';
import { decodeCharset } from './charset.js';
import { unflow } from './flowed.js';
import { decodeTransfer } from './transfer-decoder.js';

/** A text or html body, decoded. */
export interface Content {
  content: string;
  truncated: boolean;
  charset: string | null;
  charsetProblem: boolean;
  /** Bytes of it before the charset was decoded. */
  bytes: number;
}

/** Encoded bytes that may stand for one decoded byte, at most. */
const expansion: Record<string, number> = { base64: 1.5, 'quoted-printable': 3.2 };

/** How many encoded bytes of a part are needed for so many decoded ones, and to see that there are more. */
export function encodedBound({ encoding }: Pick<Structure, 'encoding'>, maxBytes: number): number {
  return Math.ceil(maxBytes * (expansion[encoding ?? ''] ?? 1)) + 4;
}

/** The bodies of some parts, one behind the other, as one text of at most so many decoded bytes; null of none. */
export function toContent(
  nodes: readonly Structure[],
  encodedOf: (node: Structure) => Buffer,
  maxBytes: number,
): Content | null {
  const contents: Content[] = [];
  let left = maxBytes;
  for (const node of nodes) {
    if (left <= 0) break;
    const content = decodePart(node, encodedOf(node), left, encodedBound(node, maxBytes));
    left -= content.bytes;
    contents.push(content);
  }
  const [first] = contents;
  if (!first) return null;
  return {
    content: contents.map(({ content }) => content).join('\n'),
    truncated: contents.length < nodes.length || contents.some(({ truncated }) => truncated),
    charset: first.charset,
    charsetProblem: contents.some(({ charsetProblem }) => charsetProblem),
    bytes: maxBytes - left,
  };
}

function decodePart(node: Structure, encoded: Buffer, maxBytes: number, fetched: number): Content {
  const decoded = decodeTransfer(encoded, node.encoding);
  const truncated = decoded.length > maxBytes || (encoded.length >= fetched && encoded.length < (node.size ?? 0));
  const bytes = decoded.subarray(0, maxBytes);
  const charset = node.parameters.charset ?? null;
  const { text, problem } = decodeCharset(bytes, charset, truncated);
  const lines = (truncated ? text.replace(/\r$/, '') : text).replaceAll('\r\n', '\n');
  const flowed = node.type === 'text/plain' && node.parameters.format?.toLowerCase() === 'flowed';
  const content = flowed ? unflow(lines, node.parameters.delsp?.toLowerCase() === 'yes') : lines;
  return { content, truncated, charset, charsetProblem: problem, bytes: bytes.length };
}
