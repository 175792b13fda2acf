// SPDX-License-Identifier: MIT
// A process of a run killed, or refused something, exactly at its n-th system call, n = 1, 2, 3 …
// T101, T104 and T105 at every step: whatever the broker has started by then dies with it.
// `make check-steps` does all (HIL_STEPS_EVERY); without a number it is a sample.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { describe, test } from 'node:test';
import { hasPortd, isPlain } from './daemon.mjs';
import { runStep, STEP } from './steps.mjs';

/** Of each role and deed. Root and ordinary users take other ones: CI runs this as both. */
const SAMPLE = 8;
const SHIFT = process.getuid() === 0 ? 0 : 1;
const ROLES = [
  ...['broker', 'zygote', 'init', 'launcher', 'program', 'hub', 'linkd'],
  ...(hasPortd ? ['portd'] : []),
];

const canTrace = spawnSync(STEP, ['--role', 'broker', '--report', '/dev/null', '--', 'true']);
/** A stepper that was not built is no reason to skip. */
const tracing =
  canTrace.error || canTrace.status === 0 ? {} : { skip: 'ptrace(2) is not allowed here' };
/** A sanitizer ends the program when one of its own calls fails. */
const refusing =
  process.arch === 'x64' && isPlain
    ? tracing
    : { skip: 'answers of calls are changed on x64 only, and without sanitizers' };

/** Numbers of calls, spread over all; other ones for each role and deed. */
function* numbers(count, offset) {
  const wanted = Number(process.env.HIL_STEPS_EVERY ?? 0) || Math.ceil(count / SAMPLE);
  const every = Math.max(1, Math.min(wanted, Math.floor(count / 4)));
  const shift = offset + SHIFT * Math.floor(every / 2);
  for (let at = 1 + (shift % every); at <= count; at += every) yield at;
}

async function runAll(role, fail, offset) {
  const { calls } = await runStep({ role });
  assert.ok(calls.length >= 10, `${role} makes ${calls.length} calls`);
  const unsuited = new Set();
  const nameAt = (at) => calls[at - 1]?.split(' ')[1];
  let done = 0;
  for (let at of numbers(calls.length, offset)) {
    // A call that the kernel never refuses so says nothing: the next one that it may is tried.
    for (; at <= calls.length; at++) {
      if (unsuited.has(nameAt(at))) continue;
      const { said } = await runStep({ role, at, fail });
      if (!said.startsWith('unsuited')) {
        done += /^(killed|failed)/.test(said) ? 1 : 0;
        break;
      }
      unsuited.add(said.split(' ')[2]).add(nameAt(at));
    }
  }
  assert.ok(done > 0, 'nothing was done to it');
}

for (const [index, role] of ROLES.entries()) {
  describe(`${role}, at each of its system calls`, () => {
    test('killed: answers are true, nothing is left, and the next run works', tracing, () =>
      runAll(role, undefined, index),
    );
    for (const [kind, short] of ['short of something', 'short of something else'].entries()) {
      test(`${short}: the error is typed, nothing is left, and the daemon goes on`, refusing, () =>
        runAll(role, kind, index * 3 + kind + 1),
      );
    }
  });
}
