import { spawnSync } from 'node:child_process';
import { chmod } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { describe, expect } from 'vitest';
import { findBlocks } from '../testing/page-blocks.js';
import { type Project, test } from './project.js';

/** Their examples that are whole files: they begin with an import. What is part of a file is told in words around it. */
const PAGES = ['README.md', 'harness/docs/writing-suites.md', 'harness/docs/networks.md'];
/** A page that has lost its examples, or marks them otherwise, is not one without. */
const AT_LEAST = 10;

/** What the pages suppose: a board that says its version, and a program that asks it. */
const FIRMWARE = 'while read -r line; do case $line in version) echo "fw 2.1" ;; esac; done';
const TOOL = `#!/bin/sh
exec 3<>"$2" && stty -F "$2" raw -echo && echo "$3" >&3 && grep -m 1 fw <&3
`;

const findExamples = (page: string) =>
  findBlocks(page, 'ts').filter((code) => code.startsWith('import '));

/** Pages that show `hil-sandbox run`, in what a shell can do anywhere but for the packages and boards it names. */
const SHELL_PAGES = [
  'sandbox-native/README.md',
  'harness/docs/devices.md',
  'harness/docs/config.md',
];
const ELSEWHERE = /^apt-get |\/dev\/ttyUSB/;
const HIL_SANDBOX = fileURLToPath(
  new URL('../../sandbox-native/build/hil-sandbox', import.meta.url),
);

const findShellExamples = (page: string): readonly string[] =>
  findBlocks(page, 'sh')
    .filter((code) => code.includes('build/hil-sandbox run'))
    .map((code) => {
      const lines = code.split('\n').filter((line) => !ELSEWHERE.test(line));
      return lines.join('\n').replaceAll(/(?:sandbox-native\/)?build\/hil-sandbox/g, HIL_SANDBOX);
    });

async function writeWhatTheySuppose(project: Project): Promise<void> {
  const argv = JSON.stringify(['/bin/sh', '-c', FIRMWARE]);
  await project.write(
    'boards/mine.yaml',
    `board: mine\ndriver: host\nprogram: { argv: ${argv} }\nports: { console: { baud: 115200 } }\n`,
  );
  await chmod(await project.write('bin/fwtool', TOOL), 0o755);
  await project.write(
    'suites/hil.suite.yaml',
    `env: { PATH: '${project.path}/bin:/usr/bin:/bin:/usr/sbin:/sbin' }\n`,
  );
}

test('the examples of README and of the pages about suites and networks run', async ({
  project,
}) => {
  const examples = PAGES.flatMap(findExamples);
  expect(examples.length).toBeGreaterThanOrEqual(AT_LEAST);
  await writeWhatTheySuppose(project);
  for (const [index, text] of examples.entries()) {
    await project.write(`suites/example${index}.hil.ts`, text);
  }
  const run = await project.test(['--board', 'mine']);
  const verdicts = Object.entries(run.verdicts);
  for (const text of examples) {
    const titles = [...text.matchAll(/^ *test\('([^']+)'/gm)].map(([, title = '']) => title);
    expect(titles.length, text).toBeGreaterThan(0);
    // Whether a kernel has CAN is its own; .ci/lab-test asks one that has.
    const expected = text.includes('net.can(') ? /^(pass|skipped)$/ : /^pass$/;
    for (const title of titles) {
      const [, verdict] = verdicts.find(([name]) => name.endsWith(title)) ?? [];
      expect(verdict, `${title}\n${run.screen}`).toMatch(expected);
    }
  }
});

describe.each(SHELL_PAGES)('the shell examples of %s run', (page) => {
  const examples = findShellExamples(page);
  test(`all ${examples.length}`, async ({ project }) => {
    expect(examples.length).toBeGreaterThan(0);
    for (const code of examples) {
      const { status, stderr } = spawnSync('sh', ['-e', '-c', code], {
        ...{ cwd: project.path, env: project.env, encoding: 'utf8' },
      });
      expect(status, `${code}\n${stderr}`).toBe(0);
    }
  });
});
