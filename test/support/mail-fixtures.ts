import { bodyFixtures } from './mail-fixtures-bodies.js';
import { headerFixtures } from './mail-fixtures-headers.js';
import { oddFixtures } from './mail-fixtures-odd.js';
import { structureFixtures } from './mail-fixtures-structure.js';

export type { Expected, MailFixture } from './mail-fixture.js';

/** Mail as it is really found, good and bad, by name. What each must show is written by hand beside it. */
export const mailFixtures = {
  ...headerFixtures,
  ...bodyFixtures,
  ...structureFixtures,
  ...oddFixtures,
};

export type MailFixtureName = keyof typeof mailFixtures;
