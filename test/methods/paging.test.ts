import { expect, it } from 'vitest';
import { greatestFirst, pageOf } from '../../src/methods/operators/paging.js';

const even = (one: number) => one % 2 === 0;

it('a page has those that match, of how many, and where the next begins', () => {
  const all = [1, 2, 3, 4, 5, 6, 8];
  expect(pageOf(all, { limit: 2, offset: 0 }, even)).toEqual({ members: [2, 4], total: 4, nextOffset: 2 });
  expect(pageOf(all, { limit: 2, offset: 2 }, even)).toEqual({ members: [6, 8], total: 4, nextOffset: null });
  expect(pageOf(all, { limit: 2, offset: 9 }, even)).toEqual({ members: [], total: 4, nextOffset: null });
});

it('those with the greatest number come first, equal ones as they came', () => {
  const all = ['b2', 'a1', 'c2', 'd3', 'e0'];
  expect(greatestFirst(all, (one) => Number(one[1]))).toEqual(['d3', 'b2', 'c2', 'a1', 'e0']);
});
