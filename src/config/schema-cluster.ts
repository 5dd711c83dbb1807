import { z } from 'zod';
import { count, live, name, type Reload } from './schema-parts.js';
import { filePath } from './schema-texts.js';

/** `[cluster]` */
export const cluster = z
  .strictObject({
    name: name
      .optional()
      .describe('What operators call this broker. Default: the name of its host.')
      .meta({ reload: 'restart' satisfies Reload }),
    brokers: count(1, 100).describe(
      'How many brokers share the IMAP servers: `pool.connections_per_server` and `logins_per_second` of each server are divided by it.',
    ),
  })
  .describe('Several brokers behind one address.')
  .meta(live);

/** `[shared]` */
export const shared = z
  .strictObject({
    url: z
      .string()
      .refine((url) => /^rediss?:\/\/./.test(url) && URL.canParse(url), 'is no redis: or rediss: URL')
      .describe('Redis or Valkey: `redis://HOST:PORT`, or `rediss://NAME:PASSWORD@HOST:PORT` by TLS.'),
    ca_file: filePath
      .optional()
      .describe('PEM file of the authorities to trust instead of the public ones. Relative to the configuration file.'),
  })
  .refine(({ url, ca_file: ca }) => ca === undefined || url.startsWith('rediss:'), {
    path: ['ca_file'],
    error: 'goes with a rediss: URL',
  })
  .optional()
  .describe('Where several brokers keep what all of them must know: sessions that were ended.');
