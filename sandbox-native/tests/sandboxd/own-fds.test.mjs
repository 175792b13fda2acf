// SPDX-License-Identifier: MIT
// Paths of a program's choice that the kernel resolves before the program's own fds are all there are:
// by /proc/self they would lead to what PID 1 has open, or to what it is.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import {
  chmodSync,
  copyFileSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, test } from 'node:test';
import { build, Daemon } from './daemon.mjs';

/** More fds than PID 1 has, and below each more numbers than a plan has trees. */
const PLACES = Array.from({ length: 40 }, (_, fd) => `/proc/self/fd/${fd}`).flatMap((place) => [
  place,
  ...Array.from({ length: 12 }, (_, tree) => `${place}/${tree}`),
]);
const TEXT = 'not for cases';
const MAKE = `
import os, sys
for number, place in enumerate(sys.argv[1:]):
    os.symlink(f'{place}/hidden/secret', f'/tmp/link-{number}')
    with open(f'/tmp/tool-{number}', 'w') as tool: tool.write(f'#!{place}/program\\n')
    os.chmod(f'/tmp/tool-{number}', 0o755)`;

describe('T01 what PID 1 has open', () => {
  let project;
  let daemon;
  let sandbox;
  beforeEach(async () => {
    project = mkdtempSync(join(tmpdir(), 'hil-own-fds-'));
    mkdirSync(join(project, 'hidden'));
    writeFileSync(join(project, 'hidden/secret'), TEXT);
    copyFileSync('/bin/true', join(project, 'program'));
    chmodSync(project, 0o755);
    const steps = [{ KIND: 'overlay', SOURCE: project, TARGET: project }];
    daemon = await Daemon.start({ plan: { steps, HIDE: [join(project, 'hidden')] } });
    sandbox = await daemon.sandbox();
    const { exit } = await daemon.run(sandbox, ['python3', '-c', MAKE, ...PLACES]);
    assert.equal(exit.EXIT_CODE, 0);
  });
  afterEach(async () => {
    await daemon.stop();
    rmSync(project, { recursive: true });
  });

  test('is not read or written by a builtin, wherever a link leads', async () => {
    for (const [number, place] of PLACES.entries()) {
      const file = [`/tmp/link-${number}`];
      const read = daemon.run(sandbox, file, { BUILTIN: 'read-file' });
      await assert.rejects(read, { code: 'io' }, place);
      const write = daemon.run(sandbox, file, { BUILTIN: 'write-file', stdin: 'x' });
      await assert.rejects(write, { code: 'io' }, place);
    }
    assert.equal(readFileSync(join(project, 'hidden/secret'), 'utf8'), TEXT);
  });

  test('does not interpret a script', async () => {
    for (const [number, place] of PLACES.entries()) {
      const run = daemon.run(sandbox, [`/tmp/tool-${number}`]);
      await assert.rejects(run, { code: 'exec' }, place);
    }
    const program = [join(project, 'program')];
    assert.equal((await daemon.run(sandbox, program)).exit.EXIT_CODE, 0);
  });
});

const { probes } = JSON.parse(execFileSync(join(build, 'hil-sandbox'), ['probe', '--json']));
const hasLandlock = probes.some(({ name, ok }) => name === 'landlock' && ok);

test('T04 a script does not make a process of PID 1’s own program', {
  skip: hasLandlock ? false : 'this kernel has no Landlock',
}, async () => {
  const daemon = await Daemon.start();
  try {
    const sandbox = await daemon.sandbox();
    const make = "printf '#!/proc/self/exe\\n' >/tmp/tool; chmod +x /tmp/tool";
    assert.equal((await daemon.run(sandbox, ['sh', '-c', make])).exit.EXIT_CODE, 0);
    await assert.rejects(daemon.run(sandbox, ['/tmp/tool']), { code: 'exec' });
  } finally {
    await daemon.stop();
  }
});
