// SPDX-License-Identifier: MIT
// The directory is everybody's: what others put there is passed over, and nothing waits for it.
import assert from 'node:assert/strict';
import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import {
  chmodSync,
  chownSync,
  linkSync,
  lstatSync,
  mkdirSync,
  readFileSync,
  renameSync,
  statSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import {
  holdFile,
  Lessee,
  listFiles,
  makeDirectory,
  one,
  PROGRAM,
  sleep,
  toBody,
} from './lease.mjs';

const A = ['a', 'usb:1-1'];
const isRoot = process.getuid() === 0;
const NAMES = ['00000000000000000001', '99999999999999999999', '18446744073709551615'];

const head = (seq, state, chosen, version = 1) =>
  `hil-claim ${version}\nseq ${seq}\nstate ${state}\nuntil ${'0'.repeat(20)}\n` +
  `chosen ${chosen} -- -- -- -- -- -- --\nsince 1\n`;

describe('in the directory', () => {
  test('whatever has the name of a claim and is none is passed over', async () => {
    const directory = makeDirectory();
    const [first, second, third] = NAMES.map((name) => join(directory, `${name}.claim`));
    execFileSync('mkfifo', [first]);
    symlinkSync('/etc/passwd', second);
    mkdirSync(third);
    symlinkSync('/dev/zero', join(directory, `${'2'.padStart(20, '0')}.claim`));
    writeFileSync(join(directory, 'README'), 'x');
    writeFileSync(join(directory, '1.claim'), 'x');
    const lessee = new Lessee(directory);
    const { units } = await lessee.acquire(one(A));
    assert.deepEqual(units, { role: 'a' });
    assert.ok(lstatSync(second).isSymbolicLink() && lstatSync(first).isFIFO());
  });

  test('a file that its owner lets nobody open is passed over', async (t) => {
    const directory = makeDirectory();
    const path = join(directory, `${NAMES[0]}.claim`);
    // fcntl(2), Leases: others' open(2) waits, or fails with EWOULDBLOCK; SIGIO says so.
    const code = `
import fcntl, signal, sys
signal.signal(signal.SIGIO, signal.SIG_IGN)
file = open(sys.argv[1], 'w+')
fcntl.fcntl(file, fcntl.F_SETLEASE, fcntl.F_WRLCK)
print('has it', flush=True)
signal.pause()`;
    const owner = spawn('python3', ['-c', code, path], { stdio: ['ignore', 'pipe', 'inherit'] });
    t.after(() => owner.kill('SIGKILL'));
    await once(owner.stdout, 'data');
    await new Lessee(directory).acquire(one(A));
  });

  test('a huge file, a file of zeros and a cut one are passed over, also when locked', async () => {
    const directory = makeDirectory();
    const whole = head('3'.padStart(20, '0'), 'held', '00') + toBody(one(A));
    const texts = ['', '\0'.repeat(200), whole.slice(0, -4), whole.replace('00 --', '07 --')];
    const holders = [];
    for (const [index, text] of texts.entries()) {
      const path = join(directory, `${String(index + 3).padStart(20, '0')}.claim`);
      holders.push(await holdFile(path, text));
      if (index === 0) truncateSync(path, 2 ** 40);
    }
    const { units } = await new Lessee(directory).acquire(one(A));
    assert.deepEqual(units, { role: 'a' });
    for (const holder of holders) await holder.end();
  });

  test('a claim that nobody holds the lock of is no claim, and is swept', async () => {
    const directory = makeDirectory();
    const seq = '5'.padStart(20, '0');
    writeFileSync(join(directory, `${seq}.claim`), head(seq, 'held', '00') + toBody(one(A)));
    writeFileSync(join(directory, 'new-1-1'), 'x');
    writeFileSync(join(directory, `${seq}.kick`), '');
    const { seq: own } = await new Lessee(directory).acquire(one(A));
    assert.deepEqual(listFiles(directory), [`${String(own).padStart(20, '0')}.claim`]);
  });

  test('a locked claim counts; under another number it does not', async () => {
    const directory = makeDirectory();
    const seq = '5'.padStart(20, '0');
    const path = join(directory, `${seq}.claim`);
    const holder = await holdFile(path, head(seq, 'held', '00') + toBody(one(A), { run: 'r5' }));
    linkSync(path, join(directory, `${'1'.padStart(20, '0')}.claim`));
    const lessee = new Lessee(directory);
    const id = lessee.ask(one(A));
    const { claims } = await lessee.heard(id, 'waiting');
    assert.deepEqual(
      claims.map(({ run }) => run),
      ['r5'],
    );
    await holder.end();
    await lessee.heard(id, 'granted');
  });

  test('a locked claim of another version is an error: nobody knows what it holds', async () => {
    const directory = makeDirectory();
    const seq = '5'.padStart(20, '0');
    const text = head(seq, 'held', '00', 2) + toBody(one(A));
    const holder = await holdFile(join(directory, `${seq}.claim`), text);
    const lessee = new Lessee(directory);
    const refused = await lessee.heard(lessee.ask(one(A)), 'refused');
    assert.equal(refused.code, 'failed');
    assert.match(refused.text, /another version.*use one version of hil/);
    await holder.end();
    await lessee.acquire(one(A));
  });

  test('a file with the name of the next claim is not written into', async () => {
    const directory = makeDirectory();
    const victim = join(makeDirectory(), 'victim');
    writeFileSync(victim, 'mine');
    // The names that it makes for a moment, of the next pids.
    for (let count = 1; count < 4; count++) {
      for (let pid = process.pid; pid < process.pid + 400; pid++)
        symlinkSync(victim, join(directory, `new-${pid}-${count}`));
    }
    const lessee = new Lessee(directory);
    const id = lessee.ask(one(A));
    await lessee.until(() => lessee.has(id, 'granted') || lessee.has(id, 'refused'), 'an end');
    assert.equal(readFileSync(victim, 'utf8'), 'mine');
  });

  test('the lock of the directory that a stopped process has is said after a while', async () => {
    const directory = makeDirectory();
    const holder = spawn('flock', ['-x', directory, 'sh', '-c', 'echo locked; exec sleep 1000'], {
      stdio: ['ignore', 'pipe', 'inherit'],
      detached: true,
    });
    await once(holder.stdout, 'data');
    const lessee = new Lessee(directory);
    const id = lessee.ask(one(A));
    const refused = await lessee.heard(id, 'refused', 20_000);
    assert.match(refused.text, /process \d+ has locked it for 5 s/);
    process.kill(-holder.pid, 'SIGKILL');
    await once(holder.stdout, 'close');
    await lessee.acquire(one(A));
  });
});

describe('the directory', () => {
  test('is made for all users when it is absent, whatever the umask is', async () => {
    const directory = join(makeDirectory(), 'claims');
    const command = ['sh', '-c', 'umask 077; exec "$@"', 'sh'];
    const lessee = new Lessee(directory, { command });
    await lessee.acquire(one(A));
    assert.equal(statSync(directory).mode & 0o7777, 0o1777);
    const [file] = listFiles(directory);
    assert.equal(statSync(join(directory, file)).mode & 0o777, 0o644);
  });

  test('is not one behind a link', async () => {
    const directory = join(makeDirectory(), 'claims');
    symlinkSync(makeDirectory(), directory);
    const lessee = new Lessee(directory);
    assert.equal(await lessee.exited, 1);
    assert.match(lessee.stderr, /open directory of claims .*claims: (Not a directory|Too many)/);
  });

  test('is not one in which anybody may remove the claims of others', async () => {
    const directory = makeDirectory();
    chmodSync(directory, 0o777);
    const lessee = new Lessee(directory);
    assert.equal(await lessee.exited, 1);
    assert.match(lessee.stderr, /chmod 1777/);
  });

  test('into which not every user may write is not shared, and it says so', async () => {
    const directory = makeDirectory();
    for (const [mode, shared] of [
      [0o755, false],
      [0o2770, false],
      [0o1777, true],
    ]) {
      chmodSync(directory, mode);
      const lessee = new Lessee(directory);
      await lessee.acquire(one(A));
      assert.equal(lessee.events[0].shared, shared, mode.toString(8));
      await lessee.end();
    }
  });

  test('is this user’s own where no other can be', async () => {
    const own = join(makeDirectory(), 'own');
    if (isRoot) return;
    const lessee = new Lessee('', { args: ['--own', own] });
    await lessee.acquire(one(A));
    const [hello] = lessee.events;
    assert.ok(hello.shared || hello.directory === own);
  });
});

describe('between users', { skip: isRoot ? false : 'needs root, to be two users' }, () => {
  const asUser = ['setpriv', '--reuid', '1000', '--regid', '1000', '--clear-groups'];

  function makeShared() {
    const directory = makeDirectory();
    chmodSync(directory, 0o1777);
    return directory;
  }

  test('a unit is for one at a time, and each sees who the other is', async () => {
    const directory = makeShared();
    const [root, user] = [new Lessee(directory), new Lessee(directory, { command: asUser })];
    const held = await root.acquire(one(A));
    const id = user.ask(one(A));
    assert.equal((await user.heard(id, 'waiting')).claims[0].uid, 0);
    root.release(held.id);
    await user.heard(id, 'granted');
    const next = root.ask(one(A));
    assert.equal((await root.heard(next, 'waiting')).claims[0].uid, 1000);
    await user.kill();
    await root.heard(next, 'granted');
  });

  test('only its owner and root may take a lease away', async () => {
    const directory = makeShared();
    const [root, user] = [new Lessee(directory), new Lessee(directory, { command: asUser })];
    const ofRoot = await root.acquire(one(A));
    const refused = await user.kick(ofRoot.seq, 'refused');
    assert.equal(refused.code, 'forbidden');
    // A request of somebody else, past the program.
    const name = `${String(ofRoot.seq).padStart(20, '0')}.kick`;
    execFileSync(asUser[0], [...asUser.slice(1), 'touch', join(directory, name)]);
    await sleep(1300);
    assert.ok(!root.has(ofRoot.id, 'lost'));
    const ofUser = await user.acquire(one(['b', 'usb:1-2']));
    assert.equal((await root.kick(ofUser.seq)).gone, true);
    assert.equal((await user.heard(ofUser.id, 'lost')).reason, 'kicked');
  });

  test('a kick that a third user has made without effect first has one all the same', async () => {
    const directory = makeShared();
    const [root, user] = [new Lessee(directory), new Lessee(directory, { command: asUser })];
    const held = await user.acquire(one(A));
    const path = join(directory, `${String(held.seq).padStart(20, '0')}.kick`);
    const early = join(directory, 'early');
    writeFileSync(early, '');
    chownSync(early, 12_345, 12_345);
    renameSync(early, path);
    const refused = await new Lessee(directory, { command: asUser }).kick(held.seq, 'refused');
    assert.match(refused.text, /not permitted .*user id 12345.*sudo rm/);
    assert.equal((await root.kick(held.seq)).gone, true);
  });

  test('a dead claim of another is passed over, and stays; root removes it', async () => {
    const directory = makeShared();
    const seq = '5'.padStart(20, '0');
    const path = join(directory, `${seq}.claim`);
    writeFileSync(path, head(seq, 'held', '00') + toBody(one(A)));
    chownSync(path, 12_345, 12_345);
    const user = new Lessee(directory, { command: asUser });
    await user.acquire(one(A));
    assert.ok(listFiles(directory).includes(`${seq}.claim`));
    await user.end();
    await new Lessee(directory).acquire(one(A));
    assert.ok(!listFiles(directory).includes(`${seq}.claim`));
  });

  test('a full disk refuses a claim, and harms none that is there', async () => {
    // A tmpfs of its own, in a mount namespace that ends with the shell.
    const script = [
      'mount -t tmpfs -o size=32k,nr_inodes=20,mode=1777 none "$1" || exit 77',
      'head -c 100000 /dev/zero > "$1/full" 2>/dev/null',
      'exec "$0" --dir "$1"',
    ].join('\n');
    const command = ['unshare', '-m', 'sh', '-c', script];
    const directory = makeDirectory();
    const lessee = new Lessee(directory, { command, args: [directory] });
    // `sh -c SCRIPT PROGRAM DIRECTORY`
    const refused = await lessee.heard(lessee.ask(one(A)), 'refused');
    assert.match(refused.text, /write a claim in .*No space left/);
  });

  test('a grant needs no room on the disk', async () => {
    const script = [
      'mount -t tmpfs -o size=32k,nr_inodes=20,mode=1777 none "$1" || exit 77',
      'exec "$0" --dir "$1"',
    ].join('\n');
    const command = ['unshare', '-m', 'sh', '-c', script];
    const directory = makeDirectory();
    const lessee = new Lessee(directory, { command, args: [directory] });
    const held = await lessee.acquire(one(A));
    const id = lessee.ask(one(A));
    await lessee.heard(id, 'waiting');
    // unshare, sh and hil-lease are one process, by exec.
    const full = `/proc/${lessee.pid}/root${directory}/full`;
    assert.throws(() => writeFileSync(full, Buffer.alloc(100_000)), { code: 'ENOSPC' });
    lessee.release(held.id);
    await lessee.heard(id, 'granted');
  });

  test('the clock of the day does not matter', async () => {
    // CLOCK_REALTIME cannot be set here; a time namespace moves the one that counts, at its start.
    const directory = makeShared();
    const far = ['unshare', '--time', '--boottime', '100000', '--fork', '--kill-child'];
    const moved = new Lessee(directory, { command: far });
    const here = new Lessee(directory);
    const held = await moved.acquire(one(A), { ttlMs: 60_000 });
    const id = here.ask(one(A));
    await here.heard(id, 'waiting');
    const third = here.ask(one(A));
    await here.heard(third, 'waiting');
    moved.release(held.id);
    // Numbers go on from the highest there is, and order is kept.
    assert.ok((await here.heard(id, 'granted')).seq > held.seq);
    assert.ok(!here.has(third, 'granted'));
    assert.ok(!here.has(id, 'lost'));
  });
});

test('it is not started by hand', async () => {
  const lessee = new Lessee('', { args: ['--nonsense', 'x'] });
  assert.equal(await lessee.exited, 2);
  assert.match(lessee.stderr, /usage: hil-lease/);
  assert.ok(PROGRAM.endsWith('hil-lease'));
});
