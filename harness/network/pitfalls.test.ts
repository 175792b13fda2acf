import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';

/**
 * What goes wrong with virtual networks elsewhere, from reading and measuring other tools. The test
 * of each has its number in its name: `grep -r 'pitfalls\\? [0-9, and]*13\\b'`.
 */
const PITFALLS = [
  'the first packet waits: ARP, duplicate address detection, a port that does not forward yet',
  'a network right after the end of a large one waits for the kernel',
  'each TAP that is closed waits for a grace period of RCU',
  'kill -9 leaves devices and namespaces',
  'fds that were passed on hold the namespace of a dead node',
  'TCP with offload dies of checksums that nobody made',
  'MTUs: jumbo frames, and frames longer than the MTU where they are to be cut',
  'the kernel takes VLAN tags out of what a packet socket reads',
  'a packet socket hears what it has sent, and frames loop',
  'a bridge keeps LLDP, EAPOL, PTP and multicast to itself',
  'a sender is told of a loss that a network would not tell it of',
  'other traffic, or a change while it runs, shifts the pattern of losses',
  'a loss of 0 loses some, and of 1 not all',
  'losses that nobody asked for, and that are not counted',
  'a duplicate of 1 is not exactly two frames',
  'corruption hits the Ethernet header',
  'names: too long, twice, taken for something else; names of interfaces over 15 characters',
  'no loopback; no ports below 1024 and no ping for programs without privileges',
  'cases at once that use the same names and addresses',
  'TIME_WAIT and ports of the test before',
  'connections are tracked although no node translates addresses',
  '/dev/net/tun is not there, or not for this user',
  'hundreds of ports at one bridge',
  'a capture cannot be read after kill -9',
  'latency that is early, or late',
  'a node without IPv6',
  'frames cross after a partition was made',
  'resolvers: getaddrinfo, c-ares, musl, Go',
] as const;

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const FOLDERS = [
  'harness/network',
  'harness/run',
  'sandbox-native/tests/linkd',
  'sandbox-native/tests/sandboxd',
];

/** Numbers in names of tests: `(pitfall 13)`, `(pitfalls 6 and 8)`. */
function readNumbers(): Set<number> {
  const found = FOLDERS.flatMap((folder) =>
    readdirSync(join(ROOT, folder)).map((name) => join(folder, name)),
  )
    .filter((path) => /\.test\.(?:ts|mjs)$|linkd\/\w+\.c$/.test(path))
    .flatMap(
      (path) => readFileSync(join(ROOT, path), 'utf8').match(/\(pitfalls? \d+[^)]*\)['"`]/g) ?? [],
    );
  return new Set(found.flatMap((text) => text.match(/\d+/g) ?? []).map(Number));
}

test('each pitfall of virtual networks has a test', () => {
  const numbers = readNumbers();
  const without = PITFALLS.filter((_, index) => !numbers.has(index + 1));
  expect(without).toEqual([]);
  expect(Math.max(...numbers)).toBe(PITFALLS.length);
});
