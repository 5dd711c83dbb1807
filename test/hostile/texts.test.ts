import { textCases } from './cases/texts.js';
import { testTable } from './table.js';

testTable('texts of the server', textCases);
