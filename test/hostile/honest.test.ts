import { honestCases } from './cases/honest.js';
import { testTable } from './table.js';

testTable('honest sizes', honestCases);
