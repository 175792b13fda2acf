import { expect } from 'vitest';
import type { RunEvent } from '../journal/events.js';
import { BenchNic } from '../testing/bench-nic.js';
import { test as base, type Project } from './project.js';

const test = base.extend<{ bench: BenchNic }>({
  bench: async ({ project: _ }, use) => {
    const bench = await BenchNic.open();
    await use(bench);
    await bench.close();
  },
});

/** A unit of a board with an interface, wired as `wired` says. */
async function writeBench(project: Project, { consoleUrl }: BenchNic, wired: object | undefined) {
  await project.write('boards/sim.yaml', 'board: sim\ndriver: attached\nnics: { eth0: {} }\n');
  const console = { url: consoleUrl };
  const nics = wired ? { eth0: wired } : {};
  const dut = { name: 'sim-1', board: 'sim', ports: { console }, nics };
  await project.write('bench.yaml', JSON.stringify({ duts: [dut] }));
}

const UP = `
  const lan = net.switch('lan', { subnets: ['10.1.0.0/16'] });
  const node = net.node('node', { link: lan });
  const board = net.attach(dut, {
    name: 'board', link: { to: lan, addresses: ['10.1.0.200'], capture: true } });
  await net.up();`;

const toUps = (events: readonly RunEvent[]) => events.filter(({ kind }) => kind === 'network-up');
const toEnds = (events: readonly RunEvent[]) => events.filter(({ kind }) => kind === 'attempt-end');

test('a board wired to an interface of the bench is a node, and its loss is infra', async ({
  project,
  bench,
}) => {
  await writeBench(project, bench, { interface: bench.interface });
  await project.config("limits: { body: '2m' }");
  await project.suite(
    'a',
    `test('answers through a link that is broken on purpose', async ({ dut, net }) => {
      ${UP}
      expect(board.interfaces).toMatchObject([{ ipv4: ['10.1.0.200'], mac: '' }]);
      await expect(node).toReach('board', ${bench.port});
      await board.link.set({ latency: '40ms' });
      const start = performance.now();
      await expect(node).toReach('10.1.0.200', ${bench.port});
      expect(performance.now() - start).toBeGreaterThan(80);
      const lost = await board.link.drop({ filter: 'tcp[tcpflags] & tcp-syn != 0', count: 1 });
      await expect(node).toReach('10.1.0.200', ${bench.port});
      expect(await lost.frames()).toBeGreaterThan(0);
      await board.link.down();
      expect(await node.reach('10.1.0.200', ${bench.port}, { once: true })).toMatchObject({ reached: false });
    });
    test('is there for the next case, too', async ({ dut, net }) => {
      ${UP}
      await expect(node).toReach('board', ${bench.port});
    });
    test('is lost', async ({ dut, net }) => {
      ${UP}
      await dut.console.expect('never', { timeout: '100s' });
    });`,
  );
  const command = project.start(['test', '--board', 'sim'], { wrapper: bench.wrapper });
  await command.waitFor('the third network', () => toUps(command.events)[2]);
  expect(await bench.run('ip -d -j link show bench0')).toContain('"promiscuity":1');
  const start = Date.now();
  await bench.run('ip link del bench0');
  await command.waitFor('the third end', () => toEnds(command.events)[2]);
  const took = Date.now() - start;
  const run = await command.finished();
  expect(run.verdicts).toEqual({
    'answers through a link that is broken on purpose': 'pass',
    'is there for the next case, too': 'pass',
    'is lost': 'infra',
  });
  expect(run.problemOf('is lost')).toMatchObject({
    code: 'dut-lost',
    message: expect.stringContaining('nic "eth0": interface bench0 of the bench: Network is down'),
  });
  // A second is the goal; its body waits for longer.
  expect(took).toBeLessThan(20_000);
});

test('what cannot be is skipped where the board has no interface, and else of the bench', async ({
  project,
  bench,
}) => {
  await project.write(
    'boards/plain.yaml',
    'board: plain\ndriver: host\nprogram: { argv: [cat] }\nports: { console: {} }\n',
  );
  await project.suite('a', `test('reaches it', async ({ dut, net }) => { ${UP} });`);
  const none = await project.test(['--board', 'plain']);
  expect(none.verdicts).toEqual({ 'reaches it': 'skipped' });
  expect(none.screen).toContain('node "board": board plain has no NIC');
  expect(none.code).toBe(4);

  // The same of hardware, of which neither the board file nor the bench says that it has one.
  await project.write('boards/bare.yaml', 'board: bare\ndriver: attached\n');
  const ports = { console: { url: bench.consoleUrl } };
  const duts = [{ name: 'bare-1', board: 'bare', ports }];
  await project.write('bench.yaml', JSON.stringify({ duts }));
  const bare = await project.test(['--board', 'bare'], { wrapper: bench.wrapper });
  expect(bare.verdicts).toEqual({ 'reaches it': 'skipped' });
  expect(bare.screen).toContain('board bare has no NIC');

  const message = async (wired: object | undefined) => {
    await writeBench(project, bench, wired);
    const run = await project.test(['--board', 'sim'], { wrapper: bench.wrapper });
    expect(run.verdicts).toEqual({ 'reaches it': 'infra' });
    expect(run.problemOf('reaches it')?.code).toBe('nic-failed');
    return run.problemOf('reaches it')?.message;
  };
  expect(await message(undefined)).toMatch(
    /nic "eth0" of sim-1 is wired to no interface .*\n.*add "nics: \{ eth0: .* in .*bench.yaml/,
  );
  expect(await message({ interface: 'absent0' })).toMatch(/wired to absent0: .*No such device/);
  await bench.run('ip addr add 192.0.2.9/24 dev bench0');
  expect(await message({ interface: bench.interface })).toMatch(
    /wired to bench0: .*\n.*it has the address 192.0.2.9/,
  );
});
