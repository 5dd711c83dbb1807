import { structureCases } from './cases/structure.js';
import { testTable } from './table.js';

testTable('MIME trees', structureCases);
