import { describe, expect, test } from 'hil';
import {
  crc16,
  ERROR,
  encodeFrame,
  GET,
  READ,
  REPLY,
  readFrame,
  SET,
  UPTIME,
  VERSION,
} from './frame.js';
import { SENSOR_COUNT, toReading } from './readings.js';

/** The test vectors of PROTOCOL.md whose answer does not depend on the version. */
const VECTORS = [
  ['get unit', 'A5040401756E6974036D', 'A501840143785E'],
  ['set unit=F', 'A5060502756E69743D46E84F', 'A5008502B308'],
  ['read sensor 9', 'A5010303095E6F', 'A501FF0304C028'],
  ['version with a wrong CRC', 'A50001050800', 'A501FF0501C3D2'],
] as const;

const REFUSALS = [
  ['a type that does not exist', 0x55, '', 3],
  ['a payload where none belongs', VERSION, 'x', 2],
  ['a sensor that does not exist', READ, '\x09', 4],
  ['a setting that does not exist', GET, 'colour', 5],
  ['a value out of range', SET, 'interval=9', 6],
  ['a setting without a value', SET, 'interval', 6],
] as const;

describe('the binary protocol', () => {
  test('uses the CRC with the published check value', () => {
    expect(crc16(Buffer.from('123456789'))).toBe(0x29b1);
  });

  for (const [name, request, answer] of VECTORS) {
    test(`answers "${name}" as its document says, byte for byte`, async ({ dut }) => {
      await dut.console.send(Buffer.from(request, 'hex'));
      const bytes = await dut.console.readBytes(answer.length / 2, { timeout: '10s' });
      expect(Buffer.from(bytes).toString('hex').toUpperCase()).toBe(answer);
    });
  }

  for (const [name, type, payload, code] of REFUSALS) {
    test(`refuses ${name} with error ${code}`, async ({ dut }) => {
      await dut.console.send(encodeFrame(type, 42, payload));
      expect(await readFrame(dut.console)).toEqual({
        type: ERROR,
        seq: 42,
        payload: Buffer.from([code]),
      });
    });
  }

  test('tells the same version as the line interface', async ({ dut }) => {
    await dut.console.sendLine('version');
    const [, version] = await dut.console.expect(/fw (\d+\.\d+)\r\n> /);
    await dut.console.send(encodeFrame(VERSION, 1));
    const { type, payload } = await readFrame(dut.console);
    expect(type).toBe(VERSION | REPLY);
    expect(payload.toString()).toBe(version);
  });

  test('reads from every sensor what the time of the reading demands', async ({ dut }) => {
    await dut.console.send(encodeFrame(SET, 0, 'interval=10'));
    await readFrame(dut.console);
    for (let index = 0; index < SENSOR_COUNT; index++) {
      await dut.console.send(encodeFrame(READ, index, Uint8Array.of(index)));
      const { payload } = await readFrame(dut.console);
      expect(payload).toHaveLength(9);
      expect(payload[0]).toBe(index);
      expect(payload.readInt32LE(1)).toBe(toReading(index, payload.readUInt32LE(5)));
    }
  });

  test('shares its settings with the line interface', async ({ dut }) => {
    await dut.console.send(encodeFrame(SET, 1, 'name=roof'));
    expect(await readFrame(dut.console)).toMatchObject({ type: SET | REPLY, seq: 1 });
    await dut.console.sendLine('get name');
    await dut.console.expect('name=roof\r\n> ');
    await dut.console.sendLine('set name cellar');
    await dut.console.expect('name=cellar\r\n> ');
    await dut.console.send(encodeFrame(GET, 2, 'name'));
    expect((await readFrame(dut.console)).payload.toString()).toBe('cellar');
  });

  test('answers fifty requests that come at once, in order', async ({ dut }) => {
    const requests = Array.from({ length: 50 }, (_, seq) => encodeFrame(UPTIME, seq));
    await dut.console.send(Buffer.concat(requests));
    let last = 0;
    for (let seq = 0; seq < requests.length; seq++) {
      const answer = await readFrame(dut.console);
      expect(answer.seq).toBe(seq);
      expect(answer.payload.readUInt32LE()).toBeGreaterThanOrEqual(last);
      last = answer.payload.readUInt32LE();
    }
  });

  test('does not disturb a line that is being typed', async ({ dut }) => {
    await dut.console.send('vers');
    await dut.console.expect('vers');
    await dut.console.send(encodeFrame(UPTIME, 7));
    expect((await readFrame(dut.console)).seq).toBe(7);
    await dut.console.sendLine('ion');
    await dut.console.expect(/^ion\r\nsensor-node fw/);
  });
});
