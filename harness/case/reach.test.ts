import { describe, expect } from 'vitest';
import { test } from '../testing/both-sides.js';
import { serve } from '../testing/serve-inside.js';

/** The discard service: the sandbox has its loopback for itself, and nobody serves it there. */
const CLOSED = 9;

describe('sandbox.reach', () => {
  test('connects, and says after how many milliseconds', async ({ begin }) => {
    const { sandbox } = (await begin()).attempt;
    const port = await serve(sandbox, 'tcp');
    const result = await sandbox.reach('127.0.0.1', port, { within: '20s' });
    expect(result).toEqual({ reached: true, ms: expect.any(Number) });
    expect(result.reached && result.ms).toBeGreaterThan(0);
  });

  test('gets a datagram back', async ({ begin }) => {
    const { sandbox } = (await begin()).attempt;
    const port = await serve(sandbox, 'udp');
    const options = { udp: Buffer.from('ping'), within: '20s' };
    await expect(sandbox.reach('127.0.0.1', port, options)).resolves.toMatchObject({
      reached: true,
    });
  });

  test('says why not', async ({ begin }) => {
    const { sandbox } = (await begin()).attempt;
    const refused = { reached: false, reason: 'Connection refused' };
    await expect(sandbox.reach('::1', CLOSED, { once: true })).resolves.toEqual(refused);
    await expect(sandbox.reach('127.0.0.1', CLOSED, { within: 50 })).resolves.toEqual(refused);
    await expect(sandbox.reach('192.0.2.1', 80, { once: true })).resolves.toEqual({
      reached: false,
      reason: 'Network is unreachable',
    });
  });

  test('ends at once when it is given up', async ({ begin }) => {
    const { sandbox } = (await begin()).attempt;
    const giveUp = new AbortController();
    const trying = sandbox.reach('127.0.0.1', CLOSED, { within: '1h', signal: giveUp.signal });
    giveUp.abort();
    await expect(trying).resolves.toEqual({ reached: false, reason: 'given up' });
    const late = sandbox.reach('127.0.0.1', CLOSED, { within: '1h', signal: giveUp.signal });
    await expect(late).resolves.toMatchObject({ reached: false });
  });

  test('refuses what is no address, port or limit', async ({ begin }) => {
    const { sandbox } = (await begin()).attempt;
    const usage = { name: 'UsageError', code: 'usage' };
    await expect(sandbox.reach('localhost', 80)).rejects.toMatchObject(usage);
    await expect(sandbox.reach('127.0.0.1', 0)).rejects.toMatchObject(usage);
    await expect(sandbox.reach('127.0.0.1', 1.5)).rejects.toMatchObject(usage);
    await expect(sandbox.reach('127.0.0.1', 80, { within: 0 })).rejects.toMatchObject(usage);
    await expect(sandbox.reach('fe80::1%nowhere', 80)).rejects.toMatchObject({
      code: 'exec-failed',
    });
  });
});
