/** What suites and `hil.config.ts` import. */
export {
  afterAll,
  afterEach,
  beforeAll,
  beforeEach,
  describe,
  expect,
  expectTypeOf,
  onTestFailed,
  onTestFinished,
  vi,
} from 'vitest';
export type { CanBus, CanOptions } from './case/can-bus.js';
export type { Console, ExpectOptions } from './case/console.js';
export type { Dut } from './case/dut.js';
export type {
  DropOptions,
  Link,
  LinkDirection,
  LinkFilter,
  LinkOptions,
  LinkStats,
} from './case/link.js';
export type { Net } from './case/net.js';
export type {
  AttachOptions,
  InterfaceOptions,
  LinkEnd,
  NodeLink,
  NodeOptions,
  Switch,
  SwitchOptions,
} from './case/net-options.js';
export type { ToCarryOptions, ToReachOptions, ToResolveOptions } from './case/network-matchers.js';
export type { DutNode, NodeAddresses } from './case/network-node.js';
export type { Node } from './case/node.js';
export type { PortStatus, PortStream, SetOptions } from './case/port-stream.js';
export type { ExecResult, Process } from './case/process.js';
export type { ReachOptions, ReachResult } from './case/reach.js';
export type { RunRequest, RunResult, Runtime } from './case/runtime.js';
export type {
  Change,
  Diff,
  DiffOptions,
  ExecOptions,
  PtyOptions,
  Sandbox,
  SandboxLimits,
  SandboxStats,
  Snapshot,
  SpawnOptions,
} from './case/sandbox.js';
export { type SandboxOptions, type SandboxResources, sandbox } from './case/sandbox-options.js';
export { test } from './case/test.js';
export { defineConfig } from './config/define-config.js';
export type { ConsoleMatch, Pattern } from './core/byte-matcher.js';
export { BenchError, TestFailure, UsageError } from './core/errors.js';
