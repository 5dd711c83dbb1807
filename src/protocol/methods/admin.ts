import { z } from 'zod';
import { adminMethod } from '../define.js';
import { loginName } from './session.js';

export const adminMethods = {
  'session.revoke': adminMethod({
    name: 'session.revoke',
    summary: 'Ends all sessions of an application, or of one of its users, that were opened until now.',
    effect: 'local',
    params: {
      tenant: z
        .string()
        .max(200)
        .regex(/^[!-~]+$/, 'a name is printable ASCII without blanks')
        .describe('Name of the application.'),
      user: loginName.optional().describe('Login name; without it all users of the application.'),
    },
    result: z.object({
      accounts: z.int().describe('Accounts that were in use at this broker and are logged out now.'),
    }),
    errors: ['NOT_FOUND'],
  }),
};
