import { z } from 'zod';

/**
 * What a reload does with a changed key: `live` holds at once, `content` is a file that is read again where the same
 * listener has it already, `restart` needs one. A key without an entry of its own follows its table; a table without
 * one needs a restart.
 */
export type Reload = 'live' | 'content' | 'restart';
export const live = { reload: 'live' satisfies Reload } as const;
export const content = { reload: 'content' satisfies Reload } as const;

export const count = (fallback: number, most: number) => z.int().min(1).max(most).default(fallback);
export const seconds = (fallbackMs: number, most: number) =>
  z
    .number()
    .min(0.001)
    .max(most)
    .default(fallbackMs / 1000);
export const bytes = (fallback: number, least: number, most: number) => z.int().min(least).max(most).default(fallback);
export const name = z
  .string()
  .min(1)
  .max(200)
  .regex(/^[!-~]*$/, 'a name is printable ASCII without blanks');
export const port = z.int().min(0).max(65_535);
