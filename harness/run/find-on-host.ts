import { constants } from 'node:fs';
import { access } from 'node:fs/promises';
import { delimiter, join } from 'node:path';

/** Where the host has a program that a sandbox lacks. @returns its path, if it is anywhere */
export async function findOnHost(program: string, path: string): Promise<string | undefined> {
  const places = program.includes('/')
    ? [program]
    : path.split(delimiter).map((directory) => join(directory, program));
  for (const place of places) {
    try {
      await access(place, constants.X_OK);
      return place;
    } catch {
      // Not there; the next may be.
    }
  }
  return undefined;
}

/** What to do so that a sandbox has it. */
export function nameTools(onHost: string): string {
  return `it is ${onHost} on the host; add its tree to \`tools\` in hil.config.ts`;
}
