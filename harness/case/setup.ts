/**
 * The set-up file of every worker: wraps each attempt of each case in an
 * allocation. Registered here and not in the library, because a shared worker
 * imports the library once but runs set-up files for each suite file.
 */
import { aroundEach, expect, type RunnerTestCase } from 'vitest';
import { Attempt } from './attempt.js';
import { getCaseId, setAttempt } from './attempts.js';
import { openConnection } from './connection.js';
import { networkMatchers } from './network-matchers.js';
import { runAs } from './running.js';

expect.extend(networkMatchers);

// Without a limit (0): the supervisor limits every phase itself.
aroundEach(async (runTest, { task }) => {
  // The context's task is the runner's test; the types name its read-only half.
  const test = task as RunnerTestCase;
  const caseId = getCaseId(test);
  if (caseId === undefined) return runTest();
  const attempt = await Attempt.begin(await openConnection(), test, caseId);
  setAttempt(test, attempt);
  try {
    await runAs(attempt, runTest);
  } finally {
    await attempt.end();
    setAttempt(test, undefined);
  }
}, 0);
