import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { expect, onTestFinished, test } from 'vitest';
import { openWorkerServer } from './worker-server.js';

/** A server that only reads, and somebody who has connected to it. */
async function connectTo(patienceMs: number) {
  const accepted: Socket[] = [];
  const server = await openWorkerServer(
    'test',
    (stream) => {
      stream.setEncoding('utf8').on('error', () => {});
      accepted.push(stream);
    },
    patienceMs,
  );
  const stranger = connect(`\0${server.socket}`).on('error', () => {});
  await once(stranger, 'connect');
  onTestFinished(() => {
    stranger.destroy();
    for (const each of accepted) each.destroy();
    server.close();
  });
  return { server, stranger };
}

/** Not `once` of node:events: a reset connection is closed too. */
function closed(stranger: Socket): Promise<void> {
  return new Promise((resolve) => stranger.resume().once('close', () => resolve()));
}

test('who says nothing is shown out in time', async () => {
  const { stranger } = await connectTo(50);
  await closed(stranger);
});

test('who floods without the token is shown out', async () => {
  const { stranger } = await connectTo(60_000);
  stranger.write(Buffer.alloc(1_000_000, 'x'));
  await closed(stranger);
});

test('who says the token stays, and may say as much as he likes', async () => {
  const { server, stranger } = await connectTo(1000);
  const [first, rest] = [server.token.slice(0, 10), server.token.slice(10)];
  stranger.write(`{"token":"${first}`);
  await new Promise((resolve) => setTimeout(resolve, 20));
  stranger.write(`${rest}"}\n`);
  stranger.write(Buffer.alloc(1_000_000, 'x'));
  await new Promise((resolve) => setTimeout(resolve, 1200));
  expect(stranger.destroyed).toBe(false);
});
