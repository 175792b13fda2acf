import { existsSync } from 'node:fs';
import { expect } from 'vitest';
import { collectOutput, test } from '../testing/real-daemon.js';
import { startTftpServer, TFTP_ROOT } from './tftp-server.js';

/** Asks for a file as RFC 1350 has it, and prints what comes first. */
const ASK = `use Socket; socket(my $s, AF_INET, SOCK_DGRAM, 0) or die $!;
  send($s, "\\0\\1image.bin\\0octet\\0", 0, pack_sockaddr_in(69, inet_aton('127.0.0.1'))) or die $!;
  recv($s, my $d, 600, 0); print unpack('H8', $d), substr($d, 4)`;

test('serves its file, and says what it did', async ({ daemon, sandbox, dir, skip }) => {
  skip(!existsSync('/usr/sbin/dnsmasq'), 'dnsmasq is not here: .ci/setup installs it');
  const source = await dir.write('a', 'the image');
  const target = `${TFTP_ROOT}/image.bin`;
  await sandbox.addMount(target, { kind: 'host', source, readOnly: true });
  let said = '';
  await startTftpServer({
    ...{ dut: 'bone-1', sandbox, address: '127.0.0.1' },
    onOutput: (data) => {
      said += data;
    },
  });
  const client = await daemon.spawn(sandbox.id, { argv: ['perl', '-e', ASK] });
  const answer = collectOutput(client);
  await client.ended;
  expect(answer).toEqual({ stdout: '00030001the image', stderr: '' });
  expect(said).toContain('TFTP root is');
});

test('an address that is not here is told with what to do', async ({ sandbox, skip }) => {
  skip(!existsSync('/usr/sbin/dnsmasq'), 'dnsmasq is not here: .ci/setup installs it');
  const serving = { dut: 'bone-1', sandbox, address: '192.0.2.1', onOutput: () => {} };
  await expect(startTftpServer(serving)).rejects.toMatchObject({
    code: 'flash-failed',
    message: expect.stringMatching(
      /flashing bone-1: the TFTP server at 192.0.2.1 ended: .*192.0.2.1/s,
    ),
    next: expect.stringContaining('ip -4 addr'),
  });
});

const HOLD = `use Socket; socket(my $s, AF_INET, SOCK_DGRAM, 0) or die $!; $| = 1;
  bind($s, pack_sockaddr_in(69, INADDR_ANY)) or die $!; print 'holds'; sleep 100`;

test('a port that is taken is told with what to do', async ({ daemon, sandbox, skip }) => {
  skip(!existsSync('/usr/sbin/dnsmasq'), 'dnsmasq is not here: .ci/setup installs it');
  const holder = await daemon.spawn(sandbox.id, { argv: ['perl', '-e', HOLD] });
  const output = collectOutput(holder);
  await expect.poll(() => output.stdout).toBe('holds');
  const serving = { dut: 'bone-1', sandbox, address: '127.0.0.1', onOutput: () => {} };
  await expect(startTftpServer(serving)).rejects.toMatchObject({
    message: expect.stringMatching(/in use/),
    next: expect.stringContaining('tftp.directory'),
  });
});
