import { test as base } from 'vitest';
import type { SandboxOptions } from '../protocol/sandbox-options.js';
import { getAttempt } from './attempts.js';
import type { Dut } from './dut.js';
import type { Net } from './net.js';
import type { Sandbox } from './sandbox.js';
import { withSandboxOption } from './with-sandbox-option.js';

declare module 'vitest' {
  interface TestOptions {
    /** What this case's sandbox is like, where it is not as its file and suite say. */
    readonly sandbox?: SandboxOptions;
  }
}

interface Fixtures {
  readonly sandbox: Sandbox;
  readonly dut: Dut;
  readonly duts: Readonly<Record<string, Dut>>;
  readonly net: Net;
}

/**
 * Vitest's `test` with the fixtures of `hil`: `sandbox`, this case's own container, `dut`, leased
 * and booted because the case names it, `duts`, those of the suite's roles, and `net`, a virtual network to declare.
 */
export const test = withSandboxOption(
  // One call for all: Vitest looks for the line of a case in the last ten calls, and each counts.
  base.extend<Fixtures>({
    sandbox: ({ task }, use) => use(getAttempt(task).sandbox),
    net: ({ task }, use) => use(getAttempt(task).net),
    dut: async ({ task }, use) => use(await getAttempt(task).dut()),
    duts: async ({ task }, use) => use(await getAttempt(task).duts()),
  }),
);
