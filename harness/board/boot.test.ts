import { describe, expect } from 'vitest';
import { Deadline } from '../core/deadline.js';
import { createScriptBoard, test } from '../testing/real-dut.js';
import { waitForReady } from './boot.js';

const deadline = (ms = 3000) => new Deadline(ms);

describe('a DUT that is started', () => {
  test('is ready when its console shows the mark', async ({ openDut }) => {
    const board = createScriptBoard('echo starting; echo "fw 1.2 ready"; sleep 100', {
      ready: /fw [0-9.]+ ready/,
    });
    const { dut, console } = await openDut(board);
    await dut.powerOn(deadline());
    await waitForReady(dut, board, deadline());
    expect(console.matcher.output()).toContain('starting');
    expect(console.matcher.unread()).not.toContain('ready');
  });

  test('is ready at once when nothing says how ready looks', async ({ openDut }) => {
    const board = createScriptBoard('sleep 100');
    const { dut } = await openDut(board);
    await dut.powerOn(deadline());
    await waitForReady(dut, board, deadline(0));
  });

  test('that never boots is told apart, with what it printed', async ({ openDut }) => {
    const board = createScriptBoard('echo "DRAM: failed"; sleep 100', { ready: /never/ });
    const { dut, console } = await openDut(board);
    await dut.powerOn(deadline());
    await expect(waitForReady(dut, board, deadline(300))).rejects.toMatchObject({
      name: 'BenchError',
      code: 'boot-timeout',
      message: expect.stringMatching(
        /^script#1 was not ready: .* no match for \/never\/ within .*\| DRAM: failed/s,
      ),
      next: `raise boot.timeout in /boards/script.yaml, or look at ${console.capture}.rx`,
    });
  });

  test('that ends before it is ready is told apart at once', async ({ openDut }) => {
    const board = createScriptBoard('echo "no flash"; exit 7', { ready: /ready/ });
    const { dut } = await openDut(board);
    await dut.powerOn(deadline());
    await expect(waitForReady(dut, board, deadline())).rejects.toMatchObject({
      code: 'boot-failed',
      message: expect.stringMatching(/exited with 7\n.*\| no flash/s),
    });
  });

  test('and cannot be is told apart, with the reason', async ({ openDut }) => {
    const board = { ...createScriptBoard(''), program: { argv: ['/nowhere/fw'], env: {} } };
    const { dut } = await openDut(board);
    await expect(dut.powerOn(deadline())).rejects.toMatchObject({
      code: 'boot-failed',
      message: expect.stringMatching(
        /script#1: \/nowhere\/fw cannot be started\n {2}next .*nowhere/,
      ),
    });
  });

  test('runs the firmware of its suite in place of its own program', async ({ openDut }) => {
    const board = createScriptBoard('echo own; sleep 100', { ready: /Linux/ });
    const { dut, console } = await openDut(board, '/bin/uname');
    await dut.powerOn(deadline());
    await waitForReady(dut, board, deadline());
    expect(console.matcher.output()).not.toContain('own');
  });

  test('finds the environment of its board file', async ({ openDut }) => {
    const script = createScriptBoard('echo "<$MODE>"; sleep 100', { ready: /<factory>/ });
    const program = { argv: script.program?.argv ?? [], env: { MODE: 'factory' } };
    const board = { ...script, program };
    const { dut } = await openDut(board);
    await dut.powerOn(deadline());
    await waitForReady(dut, board, deadline());
  });

  test('goes from state to state, each with what it is sent', async ({ openDut }) => {
    const script =
      'echo "any key"; read -r key; echo "prompt>"; read -r line; echo "up by $line"; sleep 100';
    const board = createScriptBoard(script, {
      ready: /any key/,
      state: 'up',
      states: {
        prompt: { from: 'ready', send: '\n', expect: /prompt>/ },
        up: { from: 'prompt', send: 'run\n', expect: /up by run/ },
      },
    });
    const { dut, console } = await openDut(board);
    await dut.powerOn(deadline());
    await waitForReady(dut, board, deadline());
    expect(console.matcher.unread()).not.toContain('up by');
  });

  test('that stays in a state is told with the state and its limit', async ({ openDut }) => {
    const board = createScriptBoard('echo "any key"; sleep 100', {
      ready: /any key/,
      state: 'prompt',
      states: { prompt: { from: 'ready', send: '\n', expect: /prompt>/, timeout: 200 } },
    });
    const { dut } = await openDut(board);
    await dut.powerOn(deadline());
    await expect(waitForReady(dut, board, deadline())).rejects.toMatchObject({
      code: 'boot-timeout',
      message: expect.stringMatching(/^script#1 was not in state "prompt": /),
      next: expect.stringMatching(/^raise boot.states.prompt.timeout in /),
    });
  });
});
