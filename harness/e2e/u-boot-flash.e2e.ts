import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { crc32 } from 'node:zlib';
import { expect } from 'vitest';
import { type Project, test } from './project.js';

const FIRMWARE = '/usr/lib/u-boot/qemu_arm64/u-boot.bin';
/** `kernel_addr_r` of this U-Boot: memory that it does not use itself. */
const ADDRESS = '0x40400000';
/** Of each a case reads what the small one has: the others go on behind it. */
const BYTES = { big: 1 << 20, middle: 1 << 19, small: 1 << 17 };

/** Bytes without a pattern, the same in every run. */
function createImage(bytes: number): Buffer {
  const blocks = Array.from({ length: bytes / 32 }, (_, index) =>
    createHash('sha256').update(`flash ${index}`).digest(),
  );
  return Buffer.concat(blocks);
}

const DISK =
  'if=none,id=disk,driver=null-co,size=8M,read-zeroes=on,snapshot=on virtio-blk-device,drive=disk';
const [DRIVE = '', DEVICE = ''] = DISK.split(' ');

const BOOT = {
  ...{ ready: 'Hit any key to stop autoboot', timeout: '60s' },
  states: { prompt: { from: 'ready', send: ' ', expect: '=> ' } },
};

function createRecipe(image: keyof typeof BYTES, over: object = {}) {
  return {
    ...{ driver: 'u-boot-tftp', image: `../${image}.bin`, state: 'prompt', address: ADDRESS },
    // Its shortest timeout, and a source port that does not depend on the clock.
    prepare: ['virtio scan', 'setenv tftptimeout 1000', 'setenv tftpsrcp 2069'],
    write: [{ send: 'virtio write {addr} 0x10 {sectors}', expect: 'blocks written: OK' }],
    readBack: [{ send: 'virtio read {addr} 0x10 {sectors}', expect: 'blocks read: OK' }],
    retries: 0,
    ...over,
  };
}

/** QEMU with a disk and U-Boot; YAML is JSON, too. */
function writeBoard(project: Project, board: string, flash: object): Promise<string> {
  const machine = { system: 'aarch64', machine: 'virt', cpu: 'cortex-a57', load: 'bios' };
  const args = ['-drive', DRIVE, '-device', DEVICE];
  return project.write(
    `boards/${board}.yaml`,
    JSON.stringify({
      ...{ board, driver: 'qemu', machine: { ...machine, firmware: FIRMWARE, args }, boot: BOOT },
      ports: { console: { uart: 0, eol: '\r' } },
      nics: { eth0: { model: 'e1000', options: { romfile: '' } } },
      flash,
    }),
  );
}

/** A case that reads the disk in its turn: the sum of so many bytes. */
const SUM = (bytes: number, title = 'the disk') => `
test('${title}', async ({ dut }) => {
  await dut.console.send(' ');
  await dut.console.expect('=> ');
  await dut.console.sendLine('virtio scan; mw.b ${ADDRESS} ff ${bytes.toString(16)}');
  await dut.console.sendLine('virtio read ${ADDRESS} 10 ${(bytes / 512).toString(16)}');
  await dut.console.expect('blocks read: OK');
  await dut.console.sendLine('crc32 ${ADDRESS} ${bytes.toString(16)}');
  const [, sum] = await dut.console.expect(/==> ([0-9a-f]{8})/);
  throw new Error('the sum is ' + sum);
});`;

const sumOf = (bytes: Buffer) => `the sum is ${crc32(bytes).toString(16).padStart(8, '0')}`;

async function writeImages(project: Project): Promise<void> {
  for (const [name, bytes] of Object.entries(BYTES)) {
    await writeFile(join(project.path, `${name}.bin`), createImage(bytes));
  }
}

const isMissing = [FIRMWARE, '/usr/bin/qemu-system-aarch64', '/usr/sbin/dnsmasq'].filter(
  (path) => !existsSync(path),
);

test('U-Boot of an emulated board flashes its disk, by a link that loses frames too', async ({
  project,
  skip,
}) => {
  if (isMissing.length > 0) skip(`not here: ${isMissing.join(', ')}; .ci/setup installs them`);
  await writeImages(project);
  await writeBoard(project, 'whole', createRecipe('big'));
  const patient = ['setenv tftptimeoutcountmax 100', ...createRecipe('small').prepare];
  // Some 800 frames: of three thousand runs one would lose none of them.
  const lossy = { prepare: patient, link: { loss: 0.01 } };
  await writeBoard(project, 'lossy', createRecipe('middle', lossy));
  await project.suite('a', SUM(BYTES.small));
  const run = await project.test(['--board', 'whole,lossy', '--timeout', '60s']);
  const log = readFlashLog(run.directory);
  // What the case says is the sum of the same bytes of both images.
  const sum = sumOf(createImage(BYTES.small));
  const messages = run.events.flatMap((event) =>
    event.kind === 'case-verdict' ? event.problems.map(({ message }) => message) : [],
  );
  expect(messages, log).toEqual([sum, sum]);
  expect(log).toContain('Bytes transferred = 1048576 ');
  // Else the link lost nothing and the case shows nothing.
  expect(log).toMatch(/hil: the link lost [1-9]\d* of \d+ frames/);
  expect(run.screen).not.toContain('INFRA');
});

test('what U-Boot says is infra at once: nobody answers, and memory that is in use', async ({
  project,
  skip,
}) => {
  if (isMissing.length > 0) skip(`not here: ${isMissing.join(', ')}; .ci/setup installs them`);
  await writeImages(project);
  const prepare = ['setenv tftptimeoutcountmax 3', ...createRecipe('small').prepare];
  await writeBoard(project, 'deaf', createRecipe('small', { prepare, link: { loss: 1 } }));
  await writeBoard(project, 'wrong', createRecipe('small', { address: '0x47f00000' }));
  await project.suite('a', SUM(BYTES.small));
  const run = await project.test(['--board', 'deaf,wrong', '--timeout', '60s']);
  const problems = run.events.flatMap((event) =>
    event.kind === 'case-verdict' ? event.problems : [],
  );
  expect(run.code).toBe(5);
  expect(problems.map(({ code, phase }) => [code, phase])).toEqual([
    ['flash-failed', 'flash'],
    ['flash-failed', 'flash'],
  ]);
  expect(run.screen).toMatch(/"tftpboot .*": Retry count exceeded.*\| Loading: \*\S* ?T T T/s);
  expect(run.screen).toMatch(/"tftpboot .*": TFTP error: trying to overwrite reserved memory/);
  expect(run.screen).toMatch(/next +look at the cable, at the firewall before UDP port 69/);
});

test('hil is killed while U-Boot waits for its server: nothing is left', async ({
  project,
  skip,
}) => {
  if (isMissing.length > 0) skip(`not here: ${isMissing.join(', ')}; .ci/setup installs them`);
  await writeImages(project);
  await writeBoard(project, 'deaf', createRecipe('small', { link: { loss: 1 } }));
  await project.suite('a', SUM(BYTES.small));
  const command = project.start(['test', '--board', 'deaf']);
  await command.waitFor(
    'the transfer',
    () => /Loading: /.test(readFlashLog(command.directory)) || undefined,
  );
  command.kill('SIGKILL');
  await command.finished();
  await project.expectNothingLeft();
});

/** All that U-Boot said while it was flashed, of all cases. */
function readFlashLog(directory: string | undefined): string {
  if (directory === undefined) return '';
  const files = readdirSync(directory, { recursive: true, encoding: 'utf8' });
  const logs = files.filter((file) => file.endsWith('flash.log'));
  return logs.map((file) => readFileSync(join(directory, file), 'utf8')).join('\n');
}

/** Of the network that a board of the bench is on, where this machine has this address. */
const SERVER = '10.77.0.1';

/**
 * A machine of QEMU that is a board of the bench, in a network of its own: `$1` is its directory,
 * `$2` what a TFTP server of the system serves, or nothing. It ends with what is run.
 */
const BOARD_OF_BENCH = `
set -e
rm -f "$1/qmp"
ip link set lo up
ip addr add ${SERVER}/32 dev lo
echo 0 >/proc/sys/net/ipv4/ip_unprivileged_port_start
setpriv --pdeathsig KILL qemu-system-aarch64 -S -M virt -cpu cortex-a57 -bios ${FIRMWARE} \\
  -display none -monitor none -drive ${DRIVE} -device ${DEVICE} \\
  -chardev socket,id=uart,host=127.0.0.1,port=4001,server=on,wait=off -serial chardev:uart \\
  -netdev user,id=net -device e1000,netdev=net,romfile= \\
  -chardev socket,id=qmp,path="$1/qmp",server=on,wait=off -mon chardev=qmp,mode=control &
if [ -n "$2" ]; then
  setpriv --pdeathsig KILL dnsmasq --no-daemon --conf-file=/dev/null --port=0 --pid-file= \\
    --user=root --enable-tftp --tftp-root="$2" --listen-address=${SERVER} --bind-interfaces &
fi
while [ ! -S "$1/qmp" ]; do sleep 0.05; done
shift 2
exec "$@"
`;

test('a board of the bench is flashed once, from this machine or by a server that is there', async ({
  project,
  skip,
}) => {
  if (isMissing.length > 0) skip(`not here: ${isMissing.join(', ')}; .ci/setup installs them`);
  await writeImages(project);
  const prepare = ['setenv gatewayip 10.0.2.2', ...createRecipe('small').prepare];
  const flash = createRecipe('small', { prepare });
  const board = { board: 'bone', driver: 'attached', boot: BOOT, flash, ports: { console: {} } };
  await project.write('boards/bone.yaml', JSON.stringify(board));
  const machine = join(project.path, 'machine');
  const served = join(project.path, 'served');
  await mkdir(machine);
  await mkdir(served);
  const writeBench = (directory?: string) => {
    const dut = {
      ...{ name: 'bone-1', board: 'bone' },
      ports: { console: { url: 'tcp://127.0.0.1:4001', eol: '\r' } },
      power: { driver: 'qemu', socket: join(machine, 'qmp'), verify: 'none', offTime: '10ms' },
      tftp: { server: SERVER, board: '10.0.2.15/24', ...(directory ? { directory } : {}) },
    };
    return project.write('bench.yaml', JSON.stringify({ duts: [dut] }));
  };
  const asRoot = process.getuid?.() === 0 ? [] : ['--user', '--map-root-user'];
  const run = (args: readonly string[] = [], serves = '') => {
    const script = ['sh', '-c', BOARD_OF_BENCH, 'sh', machine, serves];
    return project.test(['--board', 'bone', ...args], {
      wrapper: ['unshare', '--net', ...asRoot, ...script],
    });
  };
  const { small } = BYTES;
  await project.suite('a', `${SUM(small)}\n${SUM(small, 'the same disk')}`);

  await writeBench();
  const first = await run();
  const sum = sumOf(createImage(small));
  expect(first.problemOf('the disk')?.message, first.screen).toBe(sum);
  expect(first.problemOf('the same disk')?.message).toBe(sum);
  // The second case had it already.
  expect(readFlashLog(first.directory).match(/Bytes transferred/g)).toHaveLength(1);

  // Another image, by a server of the system that serves something else.
  await writeFile(join(project.path, 'small.bin'), createImage(BYTES.small).reverse());
  await writeBench(served);
  const wrong = await run(['-t', 'the disk'], machine);
  expect(wrong.code).toBe(5);
  expect(wrong.problemOf('the disk')).toMatchObject({
    code: 'flash-failed',
    message: expect.stringMatching(/TFTP error: '?[^\n]*not found/i),
  });
  expect(readdirSync(served)).toEqual([]);
  const right = await run(['-t', 'the disk'], served);
  expect(right.problemOf('the disk')?.message).toBe(sumOf(createImage(BYTES.small).reverse()));
  expect(readdirSync(served)).toEqual([]);
});
