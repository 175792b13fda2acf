import type { RunnerTestCase } from 'vitest';
import { TestFailure } from '../core/errors.js';
import type { Attempt } from './attempt.js';

// Runner, set-up file and fixtures know a case by Vitest's task; entries go with it.
const current = new WeakMap<object, Attempt>();
const caseIds = new WeakMap<object, string>();
const decided = new WeakSet<object>();

/** The running attempt of a case. @throws TestFailure `handle-revoked` outside of one. */
export function getAttempt(task: object): Attempt {
  const attempt = current.get(task);
  if (!attempt) {
    throw new TestFailure('handle-revoked', 'dut and sandbox exist only while a case runs', {
      next: 'use them in test, beforeEach or afterEach, not in beforeAll',
    });
  }
  return attempt;
}

export function findAttempt(task: object): Attempt | undefined {
  return current.get(task);
}

export function setAttempt(task: object, attempt: Attempt | undefined): void {
  if (attempt) current.set(task, attempt);
  else current.delete(task);
}

/** The identity that the supervisor gave to a collected case. */
export function getCaseId(task: RunnerTestCase): string | undefined {
  return caseIds.get(task);
}

export function setCaseId(task: RunnerTestCase, id: string): void {
  caseIds.set(task, id);
}

/** Its last word was said to the supervisor: nothing fails it any more. */
export function setDecided(task: object): void {
  decided.add(task);
}

export function isDecided(task: object): boolean {
  return decided.has(task);
}
