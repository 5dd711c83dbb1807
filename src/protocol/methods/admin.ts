import { z } from 'zod';
import { adminMethod } from '../define.js';

export const adminMethods = {
  'server.list': adminMethod({
    name: 'server.list',
    summary: 'The IMAP servers of the configuration, and whether they can be reached.',
    effect: 'local',
    params: {},
    result: z.object({
      servers: z.array(
        z.object({
          name: z.string(),
          state: z
            .enum(['closed', 'open', 'trying'])
            .describe('closed: logins go through. open: it is left alone. trying: one login finds out.'),
          failures: z.int().describe('Connects that failed, one after the other.'),
          retryAfterMs: z.int().describe('Milliseconds until the next try; 0 unless open.'),
          connections: z.int(),
        }),
      ),
    }),
  }),
  'account.list': adminMethod({
    name: 'account.list',
    summary: 'The accounts in use at this broker, by tenant, server and user.',
    effect: 'local',
    params: {
      limit: z.int().min(1).max(1000).default(100),
      offset: z.int().min(0).max(10_000_000).default(0),
    },
    result: z.object({
      total: z.int(),
      accounts: z.array(
        z.object({
          tenant: z.string(),
          server: z.string(),
          user: z.string(),
          idle: z.int(),
          busy: z.int(),
          watching: z.int().describe('Connections that a watch has, and gives up when they are needed.'),
          connecting: z.int(),
          waiting: z.int().describe('Requests that wait for a connection.'),
          budget: z.int().describe('Connections that it may have at once, as far as the server has told.'),
        }),
      ),
      nextOffset: z.int().nullable(),
    }),
  }),
};
