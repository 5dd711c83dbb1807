/** Seconds of what people call a unit of time. */
const TIMES: ReadonlyArray<readonly [RegExp, number]> = [
  [/^(?:ms|msecs?|milliseconds?)$/, 0.001],
  [/^(?:|s|secs?|seconds?)$/, 1],
  [/^(?:m|mins?|minutes?)$/, 60],
  [/^(?:h|hrs?|hours?)$/, 3_600],
  [/^(?:d|days?)$/, 86_400],
  [/^(?:w|weeks?)$/, 604_800],
];
const SIZES = ['', 'k', 'm', 'g', 't'];

/** Seconds of a time such as `5m`, `1h 30min`, `500ms` or `300`; `undefined` for any other text. */
export function secondsIn(text: string): number | undefined {
  const plain = text.trim().toLowerCase();
  const parts = [...plain.matchAll(/(\d+(?:\.\d+)?)\s*([a-z]*)\s*/g)];
  if (parts.length === 0 || parts.map(([part]) => part).join('') !== plain) return undefined;
  // Only a number that stands alone is in seconds without saying so.
  if (parts.length > 1 && parts.some(([, , name]) => name === '')) return undefined;
  let seconds = 0;
  for (const [, digits, name = ''] of parts) {
    const [, unit] = TIMES.find(([names]) => names.test(name)) ?? [];
    if (unit === undefined) return undefined;
    seconds += Number(digits) * unit;
  }
  return Number(seconds.toFixed(3));
}

/** Bytes of a size such as `256M`, `1.5 GiB` or `64kb`, all in powers of 1024; `undefined` for any other text. */
export function bytesIn(text: string): number | undefined {
  const [, digits, power = ''] = /^\s*(\d+(?:\.\d+)?)\s*(?:([kmgt])i?)?(?:b|bytes?)?\s*$/i.exec(text) ?? [];
  return digits === undefined ? undefined : Math.round(Number(digits) * 1024 ** SIZES.indexOf(power.toLowerCase()));
}

/** What a key counts, by its name. */
export type Quantity = 'seconds' | 'bytes' | 'mode';

export function quantityOf(key: string): Quantity | undefined {
  if (/(^|_)seconds$/.test(key)) return 'seconds';
  if (/(^|_)bytes$/.test(key)) return 'bytes';
  return key === 'mode' ? 'mode' : undefined;
}

/** The number that a text means for a key, as it is to be written; `undefined` where the text means none. */
export function numberMeant(key: string, text: string): string | undefined {
  const quantity = quantityOf(key);
  if (quantity === 'mode') {
    const [, octal] = /^(?:0o?)?([0-7]{3})$/.exec(text.trim()) ?? [];
    return octal && `0o${octal}`;
  }
  if (quantity === undefined) return /^\s*\d+(?:\.\d+)?\s*$/.test(text) ? String(Number(text)) : undefined;
  const number = quantity === 'seconds' ? secondsIn(text) : bytesIn(text);
  return number === undefined ? undefined : String(number);
}

/** What a key with a number wants, such as `must be a number of seconds`. */
export function numberWanted(key: string, kind: 'whole number' | 'number' = 'number'): string {
  const quantity = quantityOf(key);
  if (quantity === 'mode') return 'must be an octal number';
  return quantity === undefined ? `must be a ${kind}` : `must be a number of ${quantity}`;
}
