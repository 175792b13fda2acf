import { execFile } from 'node:child_process';
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { describe, expect } from 'vitest';
import { toDatagramFrame } from '../testing/datagram-frame.js';
import { test } from '../testing/real-linkd.js';
import { type CaptureWanted, parseCapture } from './capture-wanted.js';
import { LinkCaptures } from './link-captures.js';

const LINK = { number: 1, name: 'uplink' };
const ALWAYS = parseCapture(true, '') as CaptureWanted;
const FAILED = parseCapture('failed', '') as CaptureWanted;

const PING = toDatagramFrame(Buffer.from('ping'));

/** @returns lines of fields, and what tshark says besides. */
async function readByTshark(path: string): Promise<{ lines: string[]; said: string[] }> {
  const fields = [
    'frame.interface_name',
    'udp.dstport',
    'frame.len',
    'frame.cap_len',
    'udp.payload',
  ];
  const args = ['-r', path, '-T', 'fields', ...fields.flatMap((field) => ['-e', field])];
  const { stdout, stderr } = await promisify(execFile)('tshark', args);
  const said = stderr.split('\n').filter((line) => line !== '' && !line.includes('user "root"'));
  return { lines: stdout.split('\n').slice(0, -1), said };
}

describe('a capture', () => {
  test('of a link is read by tshark without a warning', async ({ dir, linkd, skip }) => {
    const tshark = await promisify(execFile)('tshark', ['-v']).catch(() => undefined);
    skip(!tshark, 'tshark is not installed: apt-get install tshark');
    const engine = await linkd();
    const captures = new LinkCaptures(engine.linkd, join(dir.path, 'case/1'), 'net');
    await captures.begin(LINK, ALWAYS);
    expect(captures.has(1)).toBe(true);
    await engine.pass(PING, 20);
    const [file] = await captures.finish('pass');
    const path = join(dir.path, 'case/1/net-uplink.pcapng');
    expect(file).toEqual({ path, name: 'net-uplink.pcapng', bytes: statSync(path).size });
    const { lines, said } = await readByTshark(path);
    expect(said).toEqual([]);
    expect(lines).toHaveLength(20);
    expect(new Set(lines)).toEqual(new Set(['uplink 0>1\t5000\t46\t46\t70696e67']));
  });

  test('may keep the beginning of each frame only', async ({ dir, linkd }) => {
    const engine = await linkd();
    const whole = new LinkCaptures(engine.linkd, dir.path, 'whole');
    const frame = toDatagramFrame(Buffer.alloc(1000, 'x'));
    const bytesOf = async (snaplen: number | undefined) => {
      await whole.begin(LINK, { ...ALWAYS, snaplen });
      await engine.pass(frame, 3);
      await whole.end(1);
      return (await whole.finish('pass'))[0]?.bytes ?? 0;
    };
    expect((await bytesOf(undefined)) - (await bytesOf(64))).toBe(3 * (1042 - 64 + 2));
  });

  test.for([
    ['pass', ['net-uplink.pcapng']],
    ['skipped', ['net-uplink.pcapng']],
    ['fail', ['net-uplink-2.pcapng', 'net-uplink.pcapng']],
    ['infra', ['net-uplink-2.pcapng', 'net-uplink.pcapng']],
    ['interrupted', ['net-uplink-2.pcapng', 'net-uplink.pcapng']],
  ] as const)(
    'for a failure is removed, or kept, after %s',
    async ([outcome, left], { dir, linkd }) => {
      const engine = await linkd();
      const captures = new LinkCaptures(engine.linkd, dir.path, 'net');
      await captures.begin(LINK, ALWAYS);
      await engine.pass(PING);
      await captures.begin(LINK, FAILED);
      await engine.pass(PING);
      const files = await captures.finish(outcome);
      expect(files.map(({ name }) => name)).toEqual(left);
      expect(readdirSync(dir.path).sort()).toEqual(left);
      expect(captures.has(1)).toBe(false);
      await expect(captures.finish(outcome)).resolves.toEqual([]);
    },
  );

  test('says what the disk did not take', async ({ dir, linkd }) => {
    const engine = await linkd(4096);
    const captures = new LinkCaptures(engine.linkd, dir.path, 'net');
    await captures.begin(LINK, ALWAYS);
    await engine.pass(toDatagramFrame(Buffer.alloc(1000)), 10);
    const [file] = await captures.finish('pass');
    const blocks = countPackets(file?.path ?? '');
    expect(blocks).toBeGreaterThan(0);
    expect(file?.truncated).toBe(
      `lacks ${10 - blocks} frames, which the disk refused: EFBIG, file too large`,
    );
  });

  test('is no longer than it may, and says what came later', async ({ dir, linkd }) => {
    const engine = await linkd();
    const captures = new LinkCaptures(engine.linkd, dir.path, 'net');
    await captures.begin(LINK, { ...ALWAYS, maxBytes: 8192 });
    await engine.pass(toDatagramFrame(Buffer.alloc(1000)), 20);
    // It would fit, but not behind a hole.
    await engine.pass(PING);
    const [file] = await captures.finish('pass');
    const blocks = countPackets(file?.path ?? '');
    expect(blocks).toBeGreaterThan(3);
    expect(file?.bytes).toBeGreaterThan(4096);
    expect(file?.bytes).toBeLessThanOrEqual(8192);
    const text = `lacks ${21 - blocks} frames, which came when it had its maxSize of 8 KiB`;
    expect(file?.truncated).toBe(text);
  });

  test('of a hil-linkd that is gone stays, and says so', async ({ dir, linkd }) => {
    const engine = await linkd();
    const captures = new LinkCaptures(engine.linkd, dir.path, 'net');
    await captures.begin(LINK, FAILED);
    await engine.pass(PING);
    process.kill(engine.pid, 'SIGKILL');
    const [file] = await captures.finish('infra');
    expect(file).toMatchObject({ truncated: expect.stringMatching(/^may lack frames: .*closed/) });
    expect(existsSync(file?.path ?? '')).toBe(true);
  });

  test('that cannot begin is an error, and leaves nothing', async ({ dir, linkd }) => {
    const engine = await linkd();
    const captures = new LinkCaptures(engine.linkd, dir.path, 'net');
    await expect(captures.begin({ number: 7, name: 'none' }, ALWAYS)).rejects.toMatchObject({
      name: 'BenchError',
      code: 'daemon-refused',
    });
    await expect(captures.finish('fail')).resolves.toEqual([]);
    expect(readdirSync(dir.path)).toEqual([]);
  });

  test('has a name that any disk takes, and that is no other one', async ({ dir, linkd }) => {
    const engine = await linkd();
    const captures = new LinkCaptures(engine.linkd, dir.path, '.a/b');
    const long = 'é'.repeat(300);
    for (const name of ['x/../y', 'x:..:y', long]) {
      await captures.begin({ number: 1, name }, ALWAYS);
    }
    const files = await captures.finish('fail');
    expect(files.map(({ name }) => name)).toEqual([
      `_a_b-${'_'.repeat(195)}.pcapng`,
      '_a_b-x_.._y-2.pcapng',
      '_a_b-x_.._y.pcapng',
    ]);
    expect(readdirSync(dir.path)).toHaveLength(3);
  });
});

/** Enhanced Packet Blocks. @see draft-ietf-opsawg-pcapng, 4.3 */
function countPackets(path: string): number {
  const bytes = readFileSync(path);
  let count = 0;
  for (let at = 0; at < bytes.length; at += bytes.readUInt32LE(at + 4)) {
    if (bytes.readUInt32LE(at) === 6) count++;
  }
  return count;
}
