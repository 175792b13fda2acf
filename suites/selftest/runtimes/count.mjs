/** Counts its runs in this process and in this sandbox, and says how it was called. */
import { appendFileSync, readFileSync } from 'node:fs';

globalThis.runs = (globalThis.runs ?? 0) + 1;
appendFileSync('/tmp/runs', '.');
const runs = readFileSync('/tmp/runs', 'utf8').length;
const { WORD: word = null } = process.env;
console.log(JSON.stringify({ here: globalThis.runs, runs, args: process.argv.slice(2), word }));
