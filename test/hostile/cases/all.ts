import type { HostileCase } from '../case.js';
import { floodCases } from './floods.js';
import { honestCases } from './honest.js';
import { numberCases } from './numbers.js';
import { rangeCases } from './ranges.js';
import { rowCases } from './rows.js';
import { stallCases } from './stalls.js';
import { structureCases } from './structure.js';
import { textCases } from './texts.js';

/** All cases, by what they attack; each name is there once. */
export const hostileCases: Readonly<Record<string, readonly HostileCase[]>> = {
  'MIME trees': structureCases,
  ranges: rangeCases,
  'single rows': rowCases,
  numbers: numberCases,
  'texts of the server': textCases,
  'long responses': stallCases,
  floods: floodCases,
  'honest sizes': honestCases,
};
