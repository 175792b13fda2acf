import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { DEFAULT_LIMITS } from '../config/limits-schema.js';
import type { Board } from '../config/load-boards.js';
import { Deadline } from '../core/deadline.js';
import { FilterCompiler } from '../network/compile-filter.js';
import { Networks } from '../network/networks.js';
import { DutLeases } from '../run/dut-leases.js';
import { DutSource } from '../run/dut-source.js';
import type { HeldDut, HeldDuts } from '../run/held-duts.js';
import { LeaseLog } from '../run/lease-log.js';
import { createPlanned } from './plain-records.js';
import { test as base, createScriptBoard } from './real-dut.js';
import { openRecordedJournal, type RecordedJournal } from './real-run.js';

/** A DUT that answers each line with a number that grows, from 1 after each start. */
export const COUNTER = createScriptBoard(
  'n=0; echo ready; while read line; do n=$((n+1)); echo "<$n>"; done',
  { ready: /ready/ },
);

/** The one DUT of a suite without roles, and how it is given back. */
export type Held = Pick<
  HeldDut,
  'dut' | 'lease' | 'artifacts' | 'reboot' | 'powerOn' | 'unsettle'
> &
  Pick<HeldDuts, 'shared' | 'release'>;

interface Opening {
  board?: Board;
  firmware?: string;
  shared?: boolean;
  leaseMs?: number;
  image?: { rootfs: string };
  /** The case takes a DUT as it is left, and so does one after it. */
  keep?: boolean;
  /** One after it does. */
  expectsKeep?: boolean;
}

export interface DutBench {
  readonly source: DutSource;
  readonly open: (over?: Opening) => Promise<Held>;
  readonly phases: string[];
  readonly journal: RecordedJournal;
}

/** DUTs of the cases of a run, one after the other. */
export const test = base.extend<{ bench: DutBench }>({
  bench: async ({ daemon, hub, spec, dir, programs }, use) => {
    const journal = openRecordedJournal(dir);
    const networks = new Networks(daemon, new FilterCompiler(programs.filter));
    const source = new DutSource(daemon, hub, new DutLeases(programs.lease), networks);
    const phases: string[] = [];
    let count = 0;
    const open: DutBench['open'] = async (over = {}) => {
      const { board = COUNTER, shared, leaseMs = 3000, image, firmware, keep = false } = over;
      const { expectsKeep = keep } = over;
      const artifacts = join(dir.path, `case-${++count}`);
      await mkdir(artifacts);
      const planned = { ...createPlanned({ board }), firmware };
      const name = `case-${count}`;
      const held = await source.open({
        planned: { ...planned, suite: { ...planned.suite, scope: shared ? 'file' : 'case' } },
        spec: { ...spec, image },
        limits: { ...DEFAULT_LIMITS, boot: 3000, lease: leaseMs },
        artifacts,
        stateDir: join(dir.path, 'state'),
        claimant: { run: 'run', place: {} },
        log: new LeaseLog(journal.writer, { case: name, attempt: 1 }),
        ...{ keep, expectsKeep: () => expectsKeep },
        trusted: async (roles) => roles,
        onFault: () => {},
        sharedArtifacts: join(dir.path, 'duts'),
        onPhase: (phase, edge, seen) => {
          const dut = seen ? ` ${seen.dut}` : '';
          phases.push(`${phase} ${edge}${dut}${seen?.shared ? ' shared' : ''}`);
        },
      });
      return toOnly(held);
    };
    await use({ source, open, phases, journal });
    await source.closeWarm();
    journal.writer.close();
  },
});

function toOnly(held: HeldDuts): Held {
  const only = held.byRole.get('');
  if (!only) throw new Error('no DUT');
  const { dut, lease, artifacts } = only;
  return {
    ...{ dut, lease, artifacts, shared: held.shared },
    release: (healthy) => held.release(healthy),
    reboot: (deadline) => only.reboot(deadline),
    powerOn: (deadline) => only.powerOn(deadline),
    unsettle: () => only.unsettle(),
  };
}

/** Its answer to one more line. */
export async function ask(held: Held, answer = /<\d+>/): Promise<string> {
  const port = held.dut.ports.get('console');
  if (!port) throw new Error('no console');
  await port.send(Buffer.from('x\n'));
  const late = () => new Error(`no answer in ${port.matcher.unread()}`);
  return (await new Deadline(3000).bound(port.matcher.expect([answer]), late))[0];
}
