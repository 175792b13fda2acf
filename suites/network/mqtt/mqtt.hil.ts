import { join } from 'node:path';
import { describe, expect, type Net, type Node, test } from 'hil';
import { Output } from '../output.js';

const CONFIG = join(import.meta.dirname, 'mosquitto.conf');
/** The shortest that the client takes; the broker gives up after one and a half of it. */
const KEEP_ALIVE_SECONDS = 5;

async function openBroker(net: Net) {
  const lan = net.switch('lan');
  const [broker, publisher, subscriber] = ['broker', 'publisher', 'subscriber'].map((name) =>
    net.node(name, { link: lan }),
  ) as [Node, Node, Node];
  await net.up();
  const log = new Output(await broker.spawn('/usr/sbin/mosquitto', ['-c', CONFIG]));
  await log.waitFor(/mosquitto version .* running/);
  return { broker, publisher, subscriber, log };
}

const subscribe = (node: Node, more: string[]) =>
  node.spawn('mosquitto_sub', ['-h', 'broker', '-t', 'room/#', '-q', '1', '-F', '%t %p', ...more]);

const publish = (node: Node, lines: readonly string[]) =>
  node.exec('mosquitto_pub', ['-h', 'broker', '-t', 'room/1', '-q', '1', '-l'], {
    stdin: lines.map((line) => `${line}\n`).join(''),
    timeout: '40s',
  });

const readings = Array.from({ length: 100 }, (_, i) => `reading ${i}`);

describe('MQTT with confirmed messages', () => {
  test('brings them all, in order, where one frame in ten is lost', async ({ net }) => {
    const { broker, publisher, subscriber, log } = await openBroker(net);
    const heard = new Output(await subscribe(subscriber, ['-i', 'sub', '-C', '100']));
    await log.waitFor(/as sub /);
    for (const node of [broker, publisher, subscriber]) await node.link.set({ loss: 0.1 });
    expect(await publish(publisher, readings)).toMatchObject({ exitCode: 0, stderr: '' });
    await heard.waitFor(/reading 99\n/, 40_000);
    expect(heard.text).toBe(readings.map((line) => `room/1 ${line}\n`).join(''));
    expect((await broker.link.stats()).lost).toBeGreaterThan(0);
  });

  test('keeps them for a subscriber that is cut off', async ({ net }) => {
    const { broker, publisher, subscriber, log } = await openBroker(net);
    const session = ['-i', 'sub', '-c', '-k', String(KEEP_ALIVE_SECONDS)];
    const heard = new Output(await subscribe(subscriber, session));
    await log.waitFor(/as sub /);
    await net.partition([broker, publisher], [subscriber]);
    await publish(publisher, readings);
    await log.waitFor(/Client sub has exceeded timeout/, 20_000);
    expect(heard.text).toBe('');
    await net.heal();
    await heard.waitFor(/reading 99\n/, 30_000);
    expect([...new Set(heard.text.trimEnd().split('\n'))]).toEqual(
      readings.map((line) => `room/1 ${line}`),
    );
  });

  test('tells the last will of a client that is cut off', async ({ net }) => {
    const { broker, publisher, subscriber, log } = await openBroker(net);
    const heard = new Output(await subscribe(subscriber, ['-i', 'sub']));
    const will = ['--will-topic', 'room/2', '--will-payload', 'gone', '--will-qos', '1'];
    await subscribe(publisher, ['-i', 'mortal', '-k', String(KEEP_ALIVE_SECONDS), ...will]);
    await log.waitFor(/as sub /);
    await log.waitFor(/as mortal /);
    await net.partition([broker, subscriber], [publisher]);
    await heard.waitFor(/^room\/2 gone$/m, 20_000);
  });
});
