import { stallCases } from './cases/stalls.js';
import { testTable } from './table.js';

testTable('long responses', stallCases);
