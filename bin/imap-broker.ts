#!/usr/bin/env -S node --max-semi-space-size=8
// Of what a broker holds most lives for hours. V8 would let garbage of three times 16 MiB pile up first; it takes this
// option at the start alone.
import { main } from '../src/cli/main.js';

process.exit(await main(process.argv.slice(2)));
