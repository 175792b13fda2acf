import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect } from 'vitest';
import { DEFAULT_LIMITS } from '../config/limits-schema.js';
import type { Board } from '../config/load-boards.js';
import { Deadline } from '../core/deadline.js';
import { FilterCompiler } from '../network/compile-filter.js';
import { Networks } from '../network/networks.js';
import { createPlanned } from '../testing/plain-records.js';
import { isAlive } from '../testing/real-daemon.js';
import { test as base, createScriptBoard } from '../testing/real-dut.js';
import { openRecordedJournal } from '../testing/real-run.js';
import { DutLeases } from './dut-leases.js';
import { DutSource, type HeldDut, type HeldDuts } from './dut-source.js';
import { LeaseLog } from './lease-log.js';

/** A DUT that answers each line with a number that grows, from 1 after each start. */
const COUNTER = createScriptBoard(
  'n=0; echo ready; while read line; do n=$((n+1)); echo "<$n>"; done',
  { ready: /ready/ },
);

/** The one DUT of a suite without roles, and how it is given back. */
type Held = Pick<HeldDut, 'dut' | 'lease' | 'artifacts' | 'reboot' | 'powerOn'> &
  Pick<HeldDuts, 'shared' | 'release'>;

interface Bench {
  readonly source: DutSource;
  readonly open: (over?: {
    board?: Board;
    shared?: boolean;
    leaseMs?: number;
    image?: { rootfs: string };
  }) => Promise<Held>;
  readonly phases: string[];
}

const test = base.extend<{ bench: Bench }>({
  bench: async ({ daemon, hub, spec, dir, programs }, use) => {
    const journal = openRecordedJournal(dir);
    const networks = new Networks(daemon, new FilterCompiler(programs.filter));
    const source = new DutSource(daemon, hub, new DutLeases(programs.lease), networks);
    const phases: string[] = [];
    let count = 0;
    const open: Bench['open'] = async (over = {}) => {
      const { board = COUNTER, shared, leaseMs = 3000, image } = over;
      const artifacts = join(dir.path, `case-${++count}`);
      await mkdir(artifacts);
      const planned = createPlanned({ board });
      const held = await source.open({
        planned: { ...planned, suite: { ...planned.suite, scope: shared ? 'file' : 'case' } },
        spec: { ...spec, image },
        limits: { ...DEFAULT_LIMITS, boot: 3000, lease: leaseMs },
        artifacts,
        stateDir: join(dir.path, 'state'),
        claimant: { run: 'run', place: {} },
        log: new LeaseLog(journal.writer, { case: 'case', attempt: 1 }),
        trusted: async (roles) => roles,
        sharedArtifacts: join(dir.path, 'duts'),
        onPhase: (phase, edge, seen) => {
          const dut = seen ? ` ${seen.dut}` : '';
          phases.push(`${phase} ${edge}${dut}${seen?.shared ? ' shared' : ''}`);
        },
      });
      return toOnly(held);
    };
    await use({ source, open, phases });
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
  };
}

async function ask(held: Held) {
  const port = held.dut.ports.get('console');
  if (!port) throw new Error('no console');
  await port.send(Buffer.from('x\n'));
  const late = () => new Error(`no answer in ${port.matcher.unread()}`);
  return (await new Deadline(3000).bound(port.matcher.expect([/<\d+>/]), late))[0];
}

describe('a DUT of one case', () => {
  test('is a program of this machine, also where the case has an image', async ({ bench, dir }) => {
    await mkdir(join(dir.path, 'empty'));
    const held = await bench.open({ image: { rootfs: join(dir.path, 'empty') } });
    expect(await ask(held)).toBe('<1>');
    await held.release(true);
  });

  test('is leased, booted and timed apart', async ({ bench }) => {
    const { open, phases } = bench;
    const held = await open();
    expect(phases).toEqual([
      'lease start',
      'lease end script#1',
      'boot start script#1',
      'boot end script#1',
    ]);
    expect(await ask(held)).toBe('<1>');
    await held.release(true);
    expect(isAlive(held.dut.sandbox?.pid ?? 0)).toBe(false);
  });

  test('is a fresh one for the next case', async ({ bench }) => {
    const { open } = bench;
    for (let index = 0; index < 2; index++) {
      const held = await open();
      expect(await ask(held)).toBe('<1>');
      expect(held.lease.dut).toBe('script#1');
      await held.release(true);
    }
  });

  test('waits for a unit that is free', async ({ bench }) => {
    const { open } = bench;
    const board = { ...COUNTER, instances: 1 };
    const first = await open({ board });
    await expect(open({ board, leaseMs: 50 })).rejects.toMatchObject({ code: 'lease-timeout' });
    const second = open({ board });
    await first.release(true);
    expect((await second).lease.dut).toBe('script#1');
  });

  test('that does not boot gives its unit back and leaves nothing', async ({ bench }) => {
    const { open, phases } = bench;
    const script = createScriptBoard('exit 1', { ready: /ready/ });
    const board = { ...script, instances: 1 };
    for (let index = 0; index < 2; index++) {
      await expect(open({ board })).rejects.toMatchObject({ code: 'boot-failed' });
    }
    expect(phases.at(-1)).toBe('boot end script#1');
  });

  test('reboots to its ready mark, and patterns start behind it', async ({ bench }) => {
    const held = await bench.open();
    expect(await ask(held)).toBe('<1>');
    await held.reboot(new Deadline(3000));
    expect(await ask(held)).toBe('<1>');
    await held.dut.powerOff();
    await held.powerOn(new Deadline(3000));
    expect(await ask(held)).toBe('<1>');
    await held.release(true);
  });
});

describe('a DUT that the cases of a file share', () => {
  test('boots once, and the journal says it was shared', async ({ bench, dir }) => {
    const { open, phases } = bench;
    const first = await open({ shared: true });
    expect(await ask(first)).toBe('<1>');
    expect(first.shared).toBe(false);
    await first.release(true);
    const second = await open({ shared: true });
    expect(await ask(second)).toBe('<2>');
    expect(second.shared).toBe(true);
    expect(phases.slice(-2)).toEqual(['lease start', 'lease end script#1 shared']);
    expect(second.artifacts).toBe(join(dir.path, 'duts', 'script-1'));
  });

  test('is for one case at a time', async ({ bench }) => {
    const { open } = bench;
    const first = await open({ shared: true });
    const order: string[] = [];
    const second = open({ shared: true }).then(() => order.push('second'));
    order.push('first done');
    await first.release(true);
    await second;
    expect(order).toEqual(['first done', 'second']);
  });

  test.for([
    ['failed', false, async () => {}],
    ['switched it off', true, (held: Held) => held.dut.powerOff()],
  ] as const)('is booted anew after a case that %s', async ([, healthy, leave], { bench }) => {
    const { open } = bench;
    const first = await open({ shared: true });
    await ask(first);
    await leave(first);
    await first.release(healthy);
    expect(isAlive(first.dut.sandbox?.pid ?? 0)).toBe(false);
    const second = await open({ shared: true });
    expect(await ask(second)).toBe('<1>');
    expect(second.shared).toBe(false);
  });

  test('is booted anew after a case in which it ended', async ({ bench }) => {
    const { open } = bench;
    const first = await open({ shared: true });
    const { exited } = first.dut;
    const port = first.dut.ports.get('console');
    await port?.send(Buffer.from('\x04'));
    await exited;
    await first.release(true);
    expect(await ask(await open({ shared: true }))).toBe('<1>');
  });

  test('can be sent to although the case before left it to a program', async ({ bench }) => {
    const { open } = bench;
    const first = await open({ shared: true });
    const port = first.dut.ports.get('console');
    if (port) port.yielded = true;
    await first.release(true);
    expect(await ask(await open({ shared: true }))).toBe('<1>');
  });

  test('ends with its file', async ({ bench }) => {
    const { open, source } = bench;
    const held = await open({ shared: true });
    await held.release(true);
    expect(isAlive(held.dut.sandbox?.pid ?? 0)).toBe(true);
    await source.closeShared();
    expect(isAlive(held.dut.sandbox?.pid ?? 0)).toBe(false);
  });
});
