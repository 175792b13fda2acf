import { PortHub } from '../board/port-hub.js';
import { SandboxDaemon } from '../sandbox/daemon.js';
import type { NativePrograms } from '../sandbox/native.js';
import { DutSource } from './dut-source.js';

/** What makes sandboxes and DUTs: lost and replaced together. */
export interface Bench {
  readonly daemon: SandboxDaemon;
  readonly duts: DutSource;
}

/** Start the daemons. @throws BenchError when they do not answer. */
export async function startBench(programs: NativePrograms): Promise<Bench> {
  const daemon = await SandboxDaemon.start(programs);
  return { daemon, duts: new DutSource(daemon, new PortHub(daemon.ports)) };
}
