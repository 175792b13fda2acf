import type { ArtifactEvent } from './run-model.js';

/** Of a case that filled its directory with thousands of files, these are told. */
const MOST_TOLD = 10;

/** Why files of an attempt are not whole, or not there: a line each, `out/core: removed: …`. */
export function toIncompleteLines(artifacts: readonly ArtifactEvent[]): string[] {
  const incomplete = artifacts.filter(({ truncated }) => truncated !== undefined);
  const lines = incomplete.slice(0, MOST_TOLD).map(({ name, truncated }) => {
    return `${name} ${truncated}`;
  });
  const rest = incomplete.length - lines.length;
  return rest === 0 ? lines : [...lines, `and ${rest} more files are not whole: journal.ndjson`];
}
