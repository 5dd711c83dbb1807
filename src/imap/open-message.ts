import type { FetchMessageObject } from 'imapflow';
import type { Structure } from '../protocol/models.js';
import { decodeCharset } from './charset.js';
import type { ImapConnection } from './connection.js';
import { unflow } from './flowed.js';
import { repairEnvelopes } from './raw-headers.js';
import { readable, toStructure } from './structure.js';
import { decodeTransfer } from './transfer-decoder.js';

/** A text or html body, decoded. */
export interface Content {
  content: string;
  truncated: boolean;
  charset: string | null;
  charsetProblem: boolean;
}

export interface OpenedMessage {
  message: FetchMessageObject;
  structure: Structure;
  text: Content | null;
  html: Content | null;
}

/** Encoded bytes that may stand for one decoded byte, at most. */
const expansion: Record<string, number> = { base64: 1.5, 'quoted-printable': 3 };

/**
 * Fetches messages with their bodies in two round trips: one for the structures, one for all the text that they show.
 * Messages that are gone are left out.
 */
export async function openMessages(
  connection: ImapConnection,
  uids: readonly number[],
  options: { headers: boolean; maxTextBytes: number },
): Promise<OpenedMessage[]> {
  const query = {
    uid: true,
    flags: true,
    envelope: true,
    size: true,
    internalDate: true,
    bodyStructure: true,
    headers: options.headers,
  };
  const fetched = await connection.command('read', (flow) => flow.fetchAll(uids.join(','), query, { uid: true }));
  const messages = fetched.filter(({ uid, envelope }) => uid && envelope);
  await repairEnvelopes(connection, messages);
  const opened = messages.map((message) => ({ message, structure: toStructure(message.bodyStructure) }));
  const bodies = await fetchBodies(connection, opened, options.maxTextBytes);
  return opened.map(({ message, structure }) => {
    const { text, html } = readable(structure);
    const parts = bodies.get(message.uid);
    const contentOf = (nodes: Structure[]) => joined(nodes, parts, options.maxTextBytes);
    return { message, structure, text: contentOf(text), html: contentOf(html) };
  });
}

type Opened = Pick<OpenedMessage, 'message' | 'structure'>;

/** Messages that show the same parts share a FETCH. */
async function fetchBodies(
  connection: ImapConnection,
  opened: readonly Opened[],
  maxTextBytes: number,
): Promise<Map<number, Map<string, Buffer>>> {
  const groups = new Map<string, { uids: number[]; bodyParts: { key: string; maxLength: number }[] }>();
  for (const { message, structure } of maxTextBytes > 0 ? opened : []) {
    const { text, html } = readable(structure);
    const bodyParts = [...text, ...html]
      .filter(({ size }) => size)
      .map((node) => ({ key: node.part, maxLength: encodedBound(node, maxTextBytes) }));
    if (bodyParts.length === 0) continue;
    const key = JSON.stringify(bodyParts);
    const group = groups.get(key) ?? { uids: [], bodyParts };
    group.uids.push(message.uid);
    groups.set(key, group);
  }
  const bodies = new Map<number, Map<string, Buffer>>();
  for (const { uids, bodyParts } of groups.values()) {
    const found = await connection.command('read', (flow) =>
      flow.fetchAll(uids.join(','), { uid: true, bodyParts }, { uid: true }),
    );
    for (const { uid, bodyParts: parts } of found) if (uid && parts) bodies.set(uid, parts);
  }
  return bodies;
}

function encodedBound({ encoding }: Structure, maxTextBytes: number): number {
  return Math.ceil(maxTextBytes * (expansion[encoding ?? ''] ?? 1)) + 4;
}

function joined(nodes: readonly Structure[], parts: Map<string, Buffer> | undefined, maxBytes: number): Content | null {
  const [first] = nodes;
  if (!first || maxBytes === 0) return null;
  const contents: Content[] = [];
  let left = maxBytes;
  for (const node of nodes) {
    const encoded = parts?.get(node.part) ?? Buffer.alloc(0);
    const decoded = decodeTransfer(encoded, node.encoding);
    const cut = decoded.length > left || encoded.length < (node.size ?? 0);
    const bytes = decoded.subarray(0, left);
    left -= bytes.length;
    contents.push(toContent(node, bytes, cut));
    if (left <= 0) break;
  }
  return {
    content: contents.map(({ content }) => content).join('\n'),
    truncated: contents.some(({ truncated }) => truncated) || contents.length < nodes.length,
    charset: contents[0]?.charset ?? null,
    charsetProblem: contents.some(({ charsetProblem }) => charsetProblem),
  };
}

function toContent(node: Structure, bytes: Buffer, truncated: boolean): Content {
  const charset = node.parameters.charset ?? null;
  const { text, problem } = decodeCharset(bytes, charset, truncated);
  const lines = text.replace(/\r\n/g, '\n');
  const flowed = node.type === 'text/plain' && node.parameters.format?.toLowerCase() === 'flowed';
  const content = flowed ? unflow(lines, node.parameters.delsp?.toLowerCase() === 'yes') : lines;
  return { content, truncated, charset, charsetProblem: problem };
}
