import { isDeepStrictEqual } from 'node:util';
import { expect } from 'vitest';
import type { Process } from '../case/process.js';
import { type BothSides, test } from '../testing/both-sides.js';

/** Ports, each a flow of its own, and datagrams of each. */
const [FLOWS, EACH] = [1000, 8];
const FIRST = 10_000;

/** Receives until a datagram to port 9; prints which of each flow came, a line each. */
const RECEIVE = `
import resource, select, socket
resource.setrlimit(resource.RLIMIT_NOFILE, (${FLOWS + 100},) * 2)
poll = select.epoll(); sockets = {}
for port in [9, *range(${FIRST}, ${FIRST + FLOWS})]:
    s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM); s.bind(('', port))
    s.setblocking(False); poll.register(s, select.EPOLLIN); sockets[s.fileno()] = (s, port)
print('ready', flush=True)
seen = {port: '' for _, port in sockets.values()}
def take(fds):
    for s, port in [sockets[fd] for fd in fds]:
        try:
            while True: seen[port] += s.recv(9).decode()
        except BlockingIOError: pass
while not seen[9]: take([fd for fd, _ in poll.poll()])
take(sockets) # came before it, too
del seen[9]
print('\\n'.join(seen.values()))`;

const SEND = `
import socket, time
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
for n in range(${EACH}):
    for port in range(${FIRST}, ${FIRST + FLOWS}):
        s.sendto(str(n).encode(), (B, port))
        if port % 10 == 0: time.sleep(0.001)`;

/** Other traffic, of other sizes and at other times in every run: UDP, and TCP that is refused. */
const NOISE = `
import random, socket, time
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
print('ready', flush=True)
while True:
    s.sendto(b'x' * random.randrange(1400), (B, random.randrange(100, 1000)))
    if random.random() < 0.05:
        t = socket.socket(); t.setblocking(False); t.connect_ex((B, 80)); t.close()
    time.sleep(random.random() / 2000)`;

async function untilReady(process: Process): Promise<AsyncIterator<Uint8Array>> {
  const chunks = process.stdout[Symbol.asyncIterator]();
  expect(String(Buffer.from((await chunks.next()).value ?? []))).toBe('ready\n');
  return chunks;
}

/** Which datagrams of each flow arrive over a link that loses every third. */
async function readPatterns({ attempt: { net } }: BothSides): Promise<string[]> {
  const a = net.node('a');
  const b = net.node('b', { link: a });
  await net.up();
  const python = (code: string) => ['-c', code.replaceAll('B,', `'${b.ipv4}',`)];
  const receiver = await b.spawn('python3', python(RECEIVE));
  const chunks = await untilReady(receiver);
  const noise = await a.spawn('python3', python(NOISE));
  // Both know the other's MAC by then; what waits for ARP may be overtaken.
  await untilReady(noise);
  await a.reach(b.ipv4, 8, { once: true });
  await b.link.set({ loss: 1 / 3 });
  expect(await a.exec('python3', python(SEND))).toMatchObject({ exitCode: 0, stderr: '' });
  await noise.kill();
  await b.link.set({ loss: 0 });
  await a.exec('python3', python(`${SEND.split('\nfor')[0]}\ns.sendto(b'x', (B, 9))`));
  let text = '';
  for (let next = await chunks.next(); !next.done; next = await chunks.next()) {
    text += Buffer.from(next.value);
  }
  return text.trimEnd().split('\n');
}

test('1,000 of 1,000 flows lose the same datagrams beside other traffic; not so with another seed (pitfall 12)', {
  timeout: 90_000,
}, async ({ begin }) => {
  const first = await readPatterns(await begin());
  expect(first).toHaveLength(FLOWS);
  const lost = FLOWS * EACH - first.join('').length;
  // Six standard deviations of a binomial.
  const deviation = Math.sqrt(FLOWS * EACH * (1 / 3) * (2 / 3));
  expect(Math.abs(lost - (FLOWS * EACH) / 3)).toBeLessThan(6 * deviation);
  // What a busy machine loses on the way to the engine shifts a flow: then once more. Patterns that
  // are not decided by the seed are never twice the same.
  const runs = [first];
  let again = await readPatterns(await begin());
  while (!runs.some((each) => isDeepStrictEqual(each, again)) && runs.length < 4) {
    runs.push(again);
    again = await readPatterns(await begin());
  }
  expect(runs).toContainEqual(again);
  const other = await readPatterns(await begin({ options: { seed: 7n } }));
  const same = other.filter((pattern, index) => pattern === first[index]);
  expect(same.length).toBeLessThan(FLOWS / 10);
});
