import { constants, deflateRawSync } from 'node:zlib';
import { describe, expect, it, vi } from 'vitest';
import type { Carrier } from '../../../src/imap/wire/carrier.js';
import { DeflateCarrier } from '../../../src/imap/wire/deflate.js';

/** A carrier whose other side is the test, compressed, and all that is heard of it: texts, and `|` for its end. */
function carriers() {
  const under: Carrier = {
    onBytes: () => true,
    onEnd: () => {},
    write: () => {},
    cork: () => {},
    uncork: () => {},
    resume: vi.fn(),
    close: () => {},
  };
  const carrier = new DeflateCarrier(under);
  const heard: string[] = [];
  const over = new Promise<void>((resolve) => {
    carrier.onEnd = () => {
      heard.push('|');
      resolve();
    };
  });
  return { under, carrier, heard, over };
}

const packed = (text: string) => deflateRawSync(text, { finishFlush: constants.Z_SYNC_FLUSH });

describe('a compressed connection', () => {
  it('hands on all that came before its end, however often the reader pauses', async () => {
    const { under, carrier, heard, over } = carriers();
    carrier.onBytes = (bytes) => {
      heard.push(bytes.toString());
      void turns(100).then(() => carrier.resume());
      return false;
    };
    for (const text of ['one ', 'two ', 'three ']) under.onBytes(packed(text));
    under.onEnd(undefined);
    await over;
    expect(heard.join('')).toBe('one two three |');
  });

  it('ends where its compressed bytes end, though the server sends more', async () => {
    const { under, carrier, heard, over } = carriers();
    carrier.onBytes = (bytes) => heard.push(bytes.toString()) > 0;
    under.onBytes(Buffer.concat([deflateRawSync('the last '), Buffer.from('* OK more\r\n')]));
    await over;
    expect(heard.join('')).toBe('the last |');
  });

  it('is read on where it was paused before it was compressed', () => {
    expect(carriers().under.resume).toHaveBeenCalledTimes(1);
  });
});

/** Lets the event loop go round so many times. */
async function turns(count: number): Promise<void> {
  for (let turn = 0; turn < count; turn += 1) await new Promise((resolve) => setImmediate(resolve));
}
