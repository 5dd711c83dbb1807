import { numberCases } from './cases/numbers.js';
import { testTable } from './table.js';

testTable('numbers', numberCases);
