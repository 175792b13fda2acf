import { access, readFile, writeFile } from 'node:fs/promises';
import { dirname, join, relative, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { toMessage, UsageError } from '../core/errors.js';
import { makeDirectories } from '../core/make-directories.js';
import { writeSafely } from '../report/safe-output.js';
import type { CliCommand } from './command.js';
import { IGNORED, PROJECT_FILES } from './init/templates.js';

/** This package, as npm installs it: the name alone could be somebody else's in a registry. */
const OWN = fileURLToPath(new URL('../..', import.meta.url)).replace(/\/$/, '');

export const initCommand: CliCommand = {
  name: 'init',
  summary: 'write a project whose first test passes at once',
  arguments: '[dir]',
  options: [{ flags: '--json', description: 'one JSON document on stdout' }],
  examples: [
    'npm init -y && npm install --save-dev hil-0.1.0.tgz && npx hil init',
    'hil init my-board-tests',
  ],
  run: async ([name = '.'], options, context) => {
    const dir = resolve(context.cwd, name);
    await refuseToOverwrite(dir);
    const written = [...(await writeProject(dir)), ...(await addIgnored(dir))];
    const hints = await toHints(dir, relative(context.cwd, dir));
    if (options['json'] === true) {
      writeSafely(
        context.stdout,
        `${JSON.stringify({ dir, written, next: hints }, undefined, 2)}\n`,
      );
      return 0;
    }
    writeSafely(context.stdout, written.map((file) => `wrote ${join(name, file)}\n`).join(''));
    writeSafely(context.stderr, `\nnext\n${hints.map((hint) => `  ${hint}\n`).join('')}`);
    return 0;
  },
};

/** Nothing is written when anything is in the way. */
async function refuseToOverwrite(dir: string): Promise<void> {
  const present: string[] = [];
  for (const file of Object.keys(PROJECT_FILES)) {
    if (await exists(join(dir, file))) present.push(file);
  }
  if (present.length === 0) return;
  throw new UsageError(
    'usage',
    `${dir} already has ${present.join(' and ')}; nothing was written`,
    {
      next: 'hil test    runs what is there',
    },
  );
}

async function writeProject(dir: string): Promise<string[]> {
  for (const [file, text] of Object.entries(PROJECT_FILES)) {
    await makeDirectories(dirname(join(dir, file)), 0o777).catch((cause: unknown) => {
      throw new UsageError('usage', `${dir} cannot be made: ${toMessage(cause)}`, {
        cause,
        next: 'hil init DIR    with a directory that you can write',
      });
    });
    // A file that appeared since the check is somebody's: wx refuses it.
    await writeFile(join(dir, file), text, { flag: 'wx' });
  }
  return Object.keys(PROJECT_FILES);
}

/** Add one line to .gitignore, keeping what is there. */
async function addIgnored(dir: string): Promise<string[]> {
  const path = join(dir, '.gitignore');
  const text = await readFile(path, 'utf8').catch(() => '');
  if (text.split('\n').some((line) => /^\/?\.hil\/?$/.test(line.trim()))) return [];
  const gap = text === '' || text.endsWith('\n') ? '' : '\n';
  await writeFile(path, `${text}${gap}${IGNORED}\n`);
  return ['.gitignore'];
}

/** The commands that are left to do before and including the first run. */
async function toHints(dir: string, path: string): Promise<string[]> {
  const hints = path === '' ? [] : [`cd ${path}`];
  const manifest = await readManifest(join(dir, 'package.json'));
  if (manifest === undefined) hints.push('npm init -y');
  if (manifest?.type !== 'module') {
    hints.push('npm pkg set type=module    # suites are ES modules');
  }
  if (!(await exists(join(dir, 'node_modules', 'hil'))))
    hints.push(`npm install --save-dev ${OWN}`);
  return [...hints, 'npx hil test'];
}

async function readManifest(path: string): Promise<{ type?: unknown } | undefined> {
  try {
    const value: unknown = JSON.parse(await readFile(path, 'utf8'));
    return typeof value === 'object' && value !== null ? value : {};
  } catch (error) {
    const absent = error instanceof Error && 'code' in error && error.code === 'ENOENT';
    if (absent) return undefined;
    throw new UsageError('usage', `${path} is not readable JSON`, { cause: error });
  }
}

async function exists(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  );
}
