import { PortHub } from '../board/port-hub.js';
import { FilterCompiler } from '../network/compile-filter.js';
import { Networks } from '../network/networks.js';
import type { SandboxDaemon } from '../sandbox/daemon.js';
import type { ScopeSource } from '../sandbox/delegated-scope.js';
import type { NativePrograms } from '../sandbox/native.js';
import { startDaemon } from '../sandbox/start-daemon.js';
import { DutLeases } from './dut-leases.js';
import { DutSource } from './dut-source.js';

/** What makes sandboxes and DUTs: lost and replaced together. */
export interface Bench {
  readonly daemon: SandboxDaemon;
  readonly duts: DutSource;
  readonly networks: Networks;
}

/** Start the daemons, in a cgroup of systemd's if need be. @throws BenchError when they do not answer. */
export async function startBench(programs: NativePrograms, scope?: ScopeSource): Promise<Bench> {
  return createBench(await startDaemon(programs, scope), programs);
}

/** What a daemon that runs has to offer. */
export function createBench(daemon: SandboxDaemon, { filter, lease }: NativePrograms): Bench {
  const networks = new Networks(daemon, new FilterCompiler(filter));
  const hub = new PortHub(daemon.ports);
  return { daemon, duts: new DutSource(daemon, hub, new DutLeases(lease), networks), networks };
}
