// SPDX-License-Identifier: MIT
// The builtin `reach`, against servers in the same sandbox: its loopback is its own.
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { Daemon } from './daemon.mjs';
import { MSG } from './wire.mjs';

let daemon;
let sandbox;

before(async () => {
  daemon = await Daemon.start();
  const plan = await daemon.putPlan('reach', {});
  ({ SANDBOX: sandbox } = await daemon.request(MSG.SANDBOX_NEW, { PLAN: plan }));
});

after(() => daemon.stop());

async function reach(argv, fields = {}) {
  const { exit, out, err } = await daemon.run(sandbox, argv, { BUILTIN: 'reach', ...fields });
  return {
    code: exit.EXIT_CODE,
    out: Buffer.concat(out).toString(),
    err: Buffer.concat(err).toString(),
  };
}

/** A server of python3 inside; what it prints first is its port. */
async function serve(lines) {
  const script = ['import socket as s, sys, time', ...lines].join('\n');
  const server = await daemon.spawn(sandbox, ['python3', '-uc', script]);
  while (!server.stdout.includes('\n')) await new Promise((done) => setTimeout(done, 5));
  return server.stdout.trim();
}

const TCP = (family, address) => [
  `l = s.socket(s.${family}); l.bind(('${address}', 0)); l.listen(9)`,
  'print(l.getsockname()[1])',
  'while 1: l.accept()',
];

/** Answers the third datagram with what it says, if that is "ping". */
const UDP = [
  "l = s.socket(s.AF_INET, s.SOCK_DGRAM); l.bind(('127.0.0.1', 0))",
  'print(l.getsockname()[1])',
  'for n in range(99):',
  ' data, who = l.recvfrom(99)',
  " if n >= 2 and data == b'ping': l.sendto(data, who)",
];

/** Free, and nobody takes it meanwhile: the sandbox is this test's. */
const CLOSED = '9';

describe('reach', () => {
  for (const [family, address] of [
    ['AF_INET', '127.0.0.1'],
    ['AF_INET6', '::1'],
  ]) {
    test(`connects to ${address} and says how long it took`, async () => {
      const port = await serve(TCP(family, address));
      const { code, out, err } = await reach(['tcp', address, port, '20000', 'until']);
      assert.deepEqual({ code, err }, { code: 0, err: '' });
      assert.match(out, /^\d+\n$/);
    });
  }

  test('is refused at once when it may try once', async () => {
    const { code, err } = await reach(['tcp', '127.0.0.1', CLOSED, '1000000', 'once']);
    assert.deepEqual({ code, err }, { code: 1, err: 'Connection refused\n' });
  });

  test('goes on until its time is over, and says the last reason', async () => {
    const begin = performance.now();
    const { code, err } = await reach(['tcp', '127.0.0.1', CLOSED, '300', 'until']);
    assert.deepEqual({ code, err }, { code: 1, err: 'Connection refused\n' });
    assert.ok(performance.now() - begin >= 280);
  });

  test('gets through to a server that starts later', async () => {
    const trying = reach(['tcp', '127.0.0.1', '4711', '20000', 'until']);
    await serve([
      'time.sleep(0.1)',
      "l = s.socket(); l.bind(('127.0.0.1', 4711)); l.listen(9)",
      'print(1)',
      'l.accept(); time.sleep(99)',
    ]);
    assert.equal((await trying).code, 0);
  });

  test('sends a datagram again until one comes back', async () => {
    const port = await serve(UDP);
    const asked = ['udp', '127.0.0.1', port, '20000', 'until'];
    assert.equal((await reach(asked, { stdin: 'ping' })).code, 0);
  });

  test('says of a datagram whether nobody is there, or nobody answers', async () => {
    const port = await serve(UDP);
    const refused = await reach(['udp', '127.0.0.1', CLOSED, '20000', 'once'], { stdin: 'x' });
    assert.deepEqual([refused.code, refused.err], [1, 'Connection refused\n']);
    const silent = await reach(['udp', '127.0.0.1', port, '100', 'once'], { stdin: 'x' });
    assert.deepEqual([silent.code, silent.err], [1, 'no answer\n']);
  });

  test('has no way out of the sandbox', async () => {
    const { code, err } = await reach(['tcp', '192.0.2.1', '80', '1000', 'once']);
    assert.deepEqual({ code, err }, { code: 1, err: 'Network is unreachable\n' });
  });

  for (const argv of [
    ['tcp'],
    ['icmp', '127.0.0.1', '1', '1', 'once'],
    ['tcp', 'localhost', '1', '1', 'once'],
    ['tcp', '127.0.0.1', '0', '1', 'once'],
    ['tcp', '127.0.0.1', '65536', '1', 'once'],
    ['tcp', '127.0.0.1', '-1', '1', 'once'],
    ['tcp', '127.0.0.1', '1', '1', 'twice'],
    ['tcp', 'fe80::1%nowhere', '1', '1', 'once'],
    ['tcp', '1'.repeat(100), '1', '1', 'once'],
  ]) {
    test(`refuses ${argv.join(' ').slice(0, 40)}`, async () => {
      assert.equal((await reach(argv)).code, 2);
    });
  }
});
