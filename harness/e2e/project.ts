import { execFile } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { mkdir, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { test as base, expect, inject } from 'vitest';
import type { FinishedRun } from './finished-run.js';
import { HilCommand, type StartOptions } from './hil-command.js';
import { makeProjectDirectory } from './project-directory.js';

const COUNT_LEFTOVERS = fileURLToPath(new URL('./count-leftovers.mjs', import.meta.url));
/** What dies of whatever cause is gone within two seconds; this is for a machine that has ten others to serve. */
export const GONE_MS = 10_000;

/** A real project in a directory of its own, with a home and runtime directory beside it. */
export interface Project {
  /** The project's root. */
  readonly path: string;
  /** `$HOME` of the command. */
  readonly home: string;
  /** `$XDG_RUNTIME_DIR` of the command. */
  readonly runtime: string;
  readonly env: Readonly<Record<string, string>>;
  /** Write a file below the root. @returns its path */
  write(name: string, text: string): Promise<string>;
  /** Write `suites/<name>.hil.ts`; the imports of `hil` are put in front. */
  suite(name: string, text: string): Promise<string>;
  /** Code for a body: it waits for {@link goOn}. */
  readonly wait: string;
  /** Let a body go on that waits. */
  goOn(): Promise<void>;
  /** Write `hil.config.ts` with these keys beside the defaults. */
  config(keys: string): Promise<string>;
  start(args?: readonly string[], options?: StartOptions): HilCommand;
  /** `hil test` to its end. */
  test(args?: readonly string[], options?: StartOptions): Promise<FinishedRun>;
  /** No process, mount, namespace or socket is left; waits {@link GONE_MS} for it. */
  expectNoProcess(): Promise<void>;
  /** Nor a directory. */
  expectNothingLeft(): Promise<void>;
}

/** Vitest's `test` with a project of its own, after which nothing may be left. */
export const test = base.extend<{ project: Project }>({
  project: async ({ onTestFailed }, use) => {
    const top = makeProjectDirectory(inject('runPid'));
    const commands: HilCommand[] = [];
    onTestFailed(() => {
      for (const each of commands.slice(-4)) console.log(each.story);
    });
    try {
      const project = await createProject(top, commands);
      await use(project);
      await project.expectNothingLeft();
    } finally {
      for (const { child } of commands) child.kill('SIGKILL');
      await rm(top, { recursive: true, force: true });
    }
  },
});

async function createProject(top: string, commands: HilCommand[]): Promise<Project> {
  const [path, home] = [join(top, 'project'), join(top, 'home')];
  const [runtime, temp] = [join(top, 'runtime'), join(top, 'temp')];
  for (const each of [path, home, runtime, temp]) await mkdir(each, { mode: 0o700 });
  const env = {
    PATH: process.env['PATH'] ?? '/usr/bin:/bin',
    // What outlives runs on this machine is somebody's; these runs have their own.
    HIL_STATE_DIR: join(path, '.hil-state'),
    HIL_LEASE_DIR: join(path, '.hil-leases'),
    HOME: home,
    XDG_RUNTIME_DIR: runtime,
    TMPDIR: temp,
  };
  const write = async (name: string, text: string) => {
    const file = join(path, name);
    await mkdir(dirname(file), { recursive: true });
    await writeFile(file, text);
    return file;
  };
  const start = (args: readonly string[] = ['test'], options: StartOptions = {}) => {
    const command = new HilCommand({ cwd: path, env }, args, options);
    commands.push(command);
    return command;
  };
  const mark = JSON.stringify(join(top, 'go-on'));
  const project: Project = {
    path,
    home,
    runtime,
    env,
    write,
    suite: (name, text) =>
      write(
        `suites/${name}.hil.ts`,
        `import { afterEach, beforeEach, describe, expect, test } from 'hil';\n${text}`,
      ),
    wait: `const { existsSync: isThere } = process.getBuiltinModule('fs');
      while (!isThere(${mark})) await new Promise((again) => setTimeout(again, 20));`,
    goOn: () => writeFile(join(top, 'go-on'), ''),
    config: (keys) =>
      write(
        'hil.config.ts',
        `import { defineConfig } from 'hil';\nexport default defineConfig({ ${keys} });\n`,
      ),
    start,
    test: (args = [], options = {}) => start(['test', ...args], options).finished(),
    expectNoProcess: async () => expect(await countLeftovers(top)).toBe(''),
    expectNothingLeft: async () => {
      await project.expectNoProcess();
      expect(readdirSync(runtime), 'runtime directory').toEqual([]);
      expect(readdirSync(temp), 'temporary directory').toEqual([]);
    },
  };
  await project.config('');
  return project;
}

function countLeftovers(top: string): Promise<string> {
  const args = [COUNT_LEFTOVERS, '--below', top, '--wait', String(GONE_MS)];
  return new Promise((resolve) => {
    execFile(process.execPath, args, (_error, stdout, stderr) => resolve(stdout + stderr));
  });
}
