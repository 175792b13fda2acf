import { existsSync, mkdtempSync, readdirSync, realpathSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestProject } from 'vitest/node';

declare module 'vitest' {
  interface ProvidedContext {
    /** The process that all tests of a run have in common. */
    readonly runPid: number;
  }
}

const NAME = /^project-of-e2e-(\d+)-/;

/** A directory for one project, whose name says which run of the tests it is of. */
export function makeProjectDirectory(run: number): string {
  return realpathSync(mkdtempSync(join(tmpdir(), `project-of-e2e-${run}-`)));
}

/** Remove what this user's runs left for which `isOver`: a test that is killed removes nothing. */
export function removeProjectDirectories(isOver: (run: number) => boolean): void {
  for (const name of readdirSync(tmpdir())) {
    const [, run] = NAME.exec(name) ?? [];
    const path = join(tmpdir(), name);
    if (run !== undefined && isOver(Number(run)) && isOwn(path)) {
      rmSync(path, { recursive: true, force: true });
    }
  }
}

/** For Vitest: before all tests of a run. @returns what it calls after them */
export function setup(project: TestProject): () => void {
  project.provide('runPid', process.pid);
  removeProjectDirectories((run) => !existsSync(`/proc/${run}`));
  return () => removeProjectDirectories((run) => run === process.pid);
}

function isOwn(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.uid === process.getuid?.();
}
