import { expect, it } from 'vitest';
import { table } from '../../src/cli/table.js';

const columns = [{ title: 'USER' }, { title: 'WAITING', number: true }];

it('keeps columns in line, whatever letters a name has', () => {
  // Two columns of a terminal for each letter of 張偉 and for the face, none for the dots of o\u0308.
  expect(
    table(columns, [
      ['張偉', 1],
      ['o\u0308de', 22],
      ['😀x', 3],
    ]),
  ).toBe('USER  WAITING\n張偉        1\no\u0308de        22\n😀x         3\n');
});

it('shows no letter that changes what stands beside it', () => {
  expect(
    table(columns, [
      ['evil\u202eresu\u2066', 1],
      ['\x1b[2J', 2],
    ]),
  ).toBe('USER        WAITING\nevil?resu?        1\n?[2J              2\n');
});
