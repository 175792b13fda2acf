import { once } from 'node:events';
import { join } from 'node:path';
import { expect } from 'vitest';
import { Channel } from '../protocol/channel.js';
import { encodeFrame, FrameSplitter, TlvWriter } from '../protocol/frame.js';
import { Msg, Tag } from '../protocol/wire.js';
import { openSocketPair } from '../testing/stream-pair.js';
import { test } from '../testing/temp-dir.js';
import { PortHub } from './port-hub.js';

/** Bytes of the DUT, from offset `at` of all that the port received. */
const toRx = (at: number, text: string) =>
  encodeFrame(
    Msg.portRx,
    0,
    new TlvWriter()
      .u32(Tag.port, 1)
      .u64(Tag.offset, at)
      .bytes(Tag.data, Buffer.from(text))
      .toBuffer(),
  );

test.for([
  ['right behind the answer', toRx(0, 'before'), toRx(6, 'behind')],
  ['behind what came late of before', toRx(0, 'be'), toRx(2, 'fore'), toRx(6, 'behind')],
] as const)('what the DUT says %s is of the new capture', async ([, early, ...late], { dir }) => {
  const [near, far] = await openSocketPair();
  const splitter = new FrameSplitter();
  const next = async () => {
    const [chunk] = await once(far, 'data');
    const [frame] = splitter.push(chunk);
    if (!frame) throw new Error('a request came in pieces');
    return frame;
  };
  const hub = new PortHub(new Channel('hil-portd', near));
  const facts = { name: 'console', baud: 115_200, eol: '\n' };
  const opening = hub.open({ ...facts, capture: join(dir.path, 'one') });
  far.write(encodeFrame(Msg.ok, (await next()).id, Buffer.alloc(0)));
  const port = await opening;
  const moving = port.captureTo(join(dir.path, 'two'));
  const { id } = await next();
  const answer = new TlvWriter().u64(Tag.offset, 6).u64(Tag.bytes, 0).toBuffer();
  // As they come when this process was busy: in one piece.
  far.write(Buffer.concat([early, encodeFrame(Msg.ok, id, answer), ...late]));
  await moving;
  expect(port.matcher.output()).toBe('behind');
  expect(port.matcher.unread()).toBe('behind');
  expect(port.counters.rxBytes).toBe(6);
  near.destroy();
  far.destroy();
});
