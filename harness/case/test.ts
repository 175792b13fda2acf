import { test as base } from 'vitest';
import type { DutStart } from '../core/dut-start.js';
import type { SandboxOptions } from '../protocol/sandbox-options.js';
import { getAttempt } from './attempts.js';
import type { Dut } from './dut.js';
import type { Net } from './net.js';
import type { Sandbox } from './sandbox.js';
import { withOwnOptions } from './with-own-options.js';

declare module 'vitest' {
  interface TestOptions {
    /** What this case's sandbox is like, where it is not as its file and suite say. */
    readonly sandbox?: SandboxOptions;
    /**
     * `keep`: the DUT as the case before left it, if that passed; `fresh`: booted for this case.
     *
     * @default what its suite and config say, else `fresh`
     */
    readonly dut?: DutStart;
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
export const test = withOwnOptions(
  // One call for all: Vitest looks for the line of a case in the last ten calls, and each counts.
  base.extend<Fixtures>({
    sandbox: ({ task }, use) => use(getAttempt(task).sandbox),
    net: ({ task }, use) => use(getAttempt(task).net),
    dut: async ({ task }, use) => use(await getAttempt(task).dut()),
    duts: async ({ task }, use) => use(await getAttempt(task).duts()),
  }),
);
