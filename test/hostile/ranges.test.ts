import { rangeCases } from './cases/ranges.js';
import { testTable } from './table.js';

testTable('ranges', rangeCases);
