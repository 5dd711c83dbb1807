import { rowCases } from './cases/rows.js';
import { testTable } from './table.js';

testTable('single rows', rowCases);
