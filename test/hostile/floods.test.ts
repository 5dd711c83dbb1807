import { floodCases } from './cases/floods.js';
import { testTable } from './table.js';

testTable('floods', floodCases);
