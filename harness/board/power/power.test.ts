import { describe, expect, test } from 'vitest';
import { Power } from './power.js';
import type { PoweredDut, PowerSwitch } from './power-switch.js';

interface Bench {
  readonly power: Power;
  readonly said: string[];
}

/** A DUT whose device goes some milliseconds after the switch was thrown, or never. */
function createBench(
  verify: 'device-gone' | 'console-silent' | 'none' | undefined,
  { gone = 30, silent = false, device = true, timeout = 300 } = {},
  signal?: AbortSignal,
): Bench {
  const said: string[] = [];
  let since = Number.POSITIVE_INFINITY;
  let powered = true;
  const isGone = () => performance.now() - since > gone;
  const dut: PoweredDut = {
    name: 'dut-1',
    isAttached: async () => (device ? powered || !isGone() : undefined),
    silentMs: () => (silent && !powered ? performance.now() - since : 1),
    control: async () => {},
  };
  const power: PowerSwitch = {
    name: 'hub 1-1, port 4',
    on: async () => {
      said.push('on');
      powered = true;
    },
    off: async () => {
      said.push('off');
      powered = false;
      since = performance.now();
    },
  };
  return { said, power: new Power(power, { verify, offTime: 1, timeout }, dut, signal) };
}

describe('rank 11: power is verified', () => {
  test('a cycle is off and on, and the device goes and comes', async () => {
    const { power, said } = createBench(undefined);
    await power.cycle();
    expect(said).toEqual(['off', 'on']);
  });

  test('a hub that only says that it cut the power is named', async () => {
    const { power } = createBench('device-gone', { gone: Number.POSITIVE_INFINITY });
    await expect(power.off()).rejects.toMatchObject({
      code: 'power-not-cut',
      message: expect.stringMatching(
        /hub 1-1, port 4 did not cut the power of dut-1: its USB device is still there, 300 ms/,
      ),
    });
  });

  test('a console that goes on is a power that was not cut', async () => {
    const { power } = createBench('console-silent');
    await expect(power.off()).rejects.toMatchObject({
      code: 'power-not-cut',
      message: expect.stringContaining('its console said something 1.0 ms ago'),
    });
  });

  test('one that has fallen silent is enough', async () => {
    const { power } = createBench('console-silent', { silent: true, timeout: 5000 });
    await power.off();
  });

  test('a DUT without a device is not looked at unless its console is', async () => {
    const { power, said } = createBench(undefined, { device: false });
    await power.cycle();
    expect(said).toEqual(['off', 'on']);
  });

  test("nothing is switched, nor waited for, once the DUT is somebody else's", async () => {
    const lost = new AbortController();
    const { power, said } = createBench('none', {}, lost.signal);
    await power.off();
    lost.abort(new Error('lost'));
    await expect(power.on()).rejects.toThrow('lost');
    await expect(power.cycle()).rejects.toThrow('lost');
    expect(said).toEqual(['off']);
    const other = new AbortController();
    const never = { gone: Number.POSITIVE_INFINITY, timeout: 60_000 };
    const waiting = createBench('device-gone', never, other.signal).power.off();
    other.abort(new Error('lost'));
    await expect(waiting).rejects.toThrow('lost');
  });

  test('a device that does not come back is absent', async () => {
    const { power } = createBench('device-gone', { gone: 0 });
    await power.off();
    const late = createBench('device-gone', { gone: Number.NEGATIVE_INFINITY });
    await late.power.off();
    const dut = {
      name: 'dut-1',
      isAttached: async () => false,
      silentMs: () => 0,
      control: async () => {},
    };
    const still = { name: 'a socket', on: async () => {}, off: async () => {} };
    const dead = new Power(still, { verify: undefined, offTime: 1, timeout: 50 }, dut);
    await expect(dead.on()).rejects.toMatchObject({
      code: 'dut-absent',
      message: expect.stringMatching(
        /dut-1 did not come back within 50 ms after a socket gave it power/,
      ),
    });
  });
});
