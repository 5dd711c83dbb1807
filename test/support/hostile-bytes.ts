/** Octets that a hostile server sends, made anew for each client. */
export type Octets = () => Iterable<Buffer>;

/** Octets that are handed to a socket at once, about. */
export const CHUNK_BYTES = 64 * 1024;

/** Text as octets: each character is one octet. */
export function octets(text: string): Buffer {
  return Buffer.from(text, 'latin1');
}

export function said(...texts: string[]): Octets {
  const whole = octets(texts.join(''));
  return () => slices(whole);
}

/** The same text so many times, in chunks of about 64 KiB: hundreds of megabytes cost no memory here. */
export function repeated(text: string, times: number): Octets {
  const perChunk = Math.max(1, Math.floor(CHUNK_BYTES / text.length));
  return function* () {
    const chunk = octets(text.repeat(Math.min(perChunk, times)));
    let left = times;
    for (; left >= perChunk; left -= perChunk) yield chunk;
    if (left > 0) yield chunk.subarray(0, left * text.length);
  };
}

/** Texts that a function makes of 1, 2, 3 and so on, joined into chunks of about 64 KiB. */
export function numbered(times: number, text: (number: number) => string): Octets {
  return function* () {
    let chunk = '';
    for (let number = 1; number <= times; number += 1) {
      chunk += text(number);
      if (chunk.length < CHUNK_BYTES) continue;
      yield octets(chunk);
      chunk = '';
    }
    if (chunk) yield octets(chunk);
  };
}

/** One after the other. */
export function all(...parts: Octets[]): Octets {
  return function* () {
    for (const part of parts) yield* part();
  };
}

function* slices(whole: Buffer): Iterable<Buffer> {
  for (let at = 0; at < whole.length; at += CHUNK_BYTES) yield whole.subarray(at, at + CHUNK_BYTES);
}
