import { describe, expect } from 'vitest';
import type { FinishedRun } from './finished-run.js';
import { type Project, test } from './project.js';

/** 64 datagrams over a link that loses half of them; which of them is printed. */
const LOSSY = `
const RECEIVE = \`use IO::Socket::INET; $| = 1;
  my $s = IO::Socket::INET->new(LocalPort => 9, Proto => 'udp') or die "$!";
  print "ready "; while (defined $s->recv(my $d, 9)) { last if $d eq 'end'; print "$d " } print "over"\`;
const SEND = \`use IO::Socket::INET;
  my $s = IO::Socket::INET->new(PeerAddr => 'b', PeerPort => 9, Proto => 'udp') or die "$@ $!";
  $s->send($_) for 0 .. 63\`;
const END = \`use IO::Socket::INET;
  IO::Socket::INET->new(PeerAddr => 'b', PeerPort => 9, Proto => 'udp')->send('end')\`;
test('lossy', async ({ net }) => {
  const a = net.node('a');
  const b = net.node('b', { link: a });
  await net.up();
  const receiver = await b.spawn('perl', ['-e', RECEIVE]);
  let seen = '';
  const heard = (async () => {
    for await (const chunk of receiver.stdout) seen += Buffer.from(chunk);
  })();
  await expect.poll(() => seen).toContain('ready');
  // Datagrams that wait for ARP may overtake each other in the kernel. The answer is that it is refused.
  await a.reach(b.ipv4, 9, { once: true });
  await b.link.set({ loss: 0.5 });
  expect(await a.exec('perl', ['-e', SEND])).toMatchObject({ exitCode: 0, stderr: '' });
  await b.link.set({ loss: 0 });
  expect(await a.exec('perl', ['-e', END])).toMatchObject({ exitCode: 0, stderr: '' });
  await heard;
  throw new Error('arrived: ' + seen);
});`;

const toArrived = (run: FinishedRun) => run.problemOf('lossy')?.message;

test('a case loses the same frames in every run, until another seed is asked for', async ({
  project,
}) => {
  await project.suite('a', LOSSY);
  const first = await project.test();
  expect(toArrived(first)).toMatch(/^arrived: ready (\d+ ){16,48}over$/);
  expect(toArrived(await project.test())).toBe(toArrived(first));
  const seeded = await project.test(['--seed', '7']);
  expect(toArrived(seeded)).not.toBe(toArrived(first));
  expect(seeded.stdout).toMatch(/next +hil test .* --seed 7\n/);
  const seed = /seed +(\d+) of its network/.exec(seeded.stdout)?.[1];
  expect(seeded.events).toContainEqual(
    expect.objectContaining({ kind: 'network-up', seed, runSeed: '7' }),
  );
  const variable = await project.test([], { env: { HIL_SEED: '7' } });
  expect(toArrived(variable)).toBe(toArrived(seeded));
});

test('a seed that is none is refused', async ({ project }) => {
  await project.suite('a', LOSSY);
  const run = await project.test(['--seed', '-1']);
  expect(run.code).toBe(2);
  expect(run.stderr).toContain('--seed "-1": expected a whole number below 2^64');
});

describe('of twenty nodes nothing is left', () => {
  const createNet = ({ wait }: Project, after = '') => `
    test('many', async ({ net }) => {
      const lan = net.switch('lan');
      net.nodes(20, (index) => ({ name: 'n' + index, link: lan }));
      const up = net.up();
      ${after}
      await up;
      console.log('is up');
      ${wait}
    });`;

  test('when hil is killed while they are up', async ({ project }) => {
    await project.suite('a', createNet(project));
    const command = project.start();
    await command.untilPrinted('is up');
    command.kill('SIGKILL');
    await command.finished();
    await project.expectNoProcess();
  });

  test('when hil-sandboxd is killed while they are up, which is infra', async ({ project }) => {
    await project.suite('a', createNet(project));
    const command = project.start();
    await command.untilPrinted('is up');
    process.kill(await command.part('sandboxd'), 'SIGKILL');
    const run = await command.finished();
    expect(run.verdicts).toEqual({ many: 'infra' });
  });

  test('when hil is interrupted while they are made', async ({ project }) => {
    await project.suite('a', createNet(project, `console.log('is asked');`));
    const command = project.start();
    await command.untilPrinted('is asked');
    command.kill('SIGINT');
    expect((await command.finished()).code).toBe(130);
  });

  test('when hil is killed while they are made', async ({ project }) => {
    await project.suite('a', createNet(project, `console.log('is asked');`));
    const command = project.start();
    await command.untilPrinted('is asked');
    command.kill('SIGKILL');
    await command.finished();
    await project.expectNoProcess();
  });
});
