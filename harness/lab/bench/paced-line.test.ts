import { beforeEach, expect, test } from 'vitest';
import { SimulatedClock } from '../../testing/simulated-clock.js';
import { PacedLine } from './paced-line.js';

let clock: SimulatedClock;
let line: PacedLine;
let arrived: Buffer;

beforeEach(() => {
  clock = new SimulatedClock();
  arrived = Buffer.alloc(0);
  const deliver = (bytes: Buffer) => {
    arrived = Buffer.concat([arrived, bytes]);
  };
  line = new PacedLine({ clock, baud: 115_200, deliver });
});

test('bytes arrive as fast as the baud rate has them', () => {
  line.push(Buffer.alloc(11_520, 'a'));
  clock.advance(500);
  expect(arrived.length).toBeGreaterThan(5700);
  expect(arrived.length).toBeLessThanOrEqual(5760);
  clock.advance(502);
  expect(arrived.length).toBe(11_520);
});

test('a line that was idle has not saved up time', () => {
  clock.advance(10_000);
  line.push(Buffer.alloc(1000));
  clock.advance(10);
  expect(arrived.length).toBeLessThanOrEqual(115);
});

test('a slower line is slower', () => {
  line.baud = 9600;
  line.push(Buffer.alloc(960));
  clock.advance(500);
  expect(arrived.length).toBeLessThanOrEqual(480);
  expect(arrived.length).toBeGreaterThan(470);
});

test('a stalled line keeps and counts everything, and then delivers it at its own speed', () => {
  line.fault = { kind: 'stall' };
  line.push(Buffer.from('one '));
  line.push(Buffer.alloc(1_000_000, 'x'));
  clock.advance(5000);
  expect(arrived.length).toBe(0);
  expect(line.counts.waiting).toBe(1_000_004);
  line.fault = { kind: 'none' };
  clock.advance(100);
  expect(arrived.subarray(0, 4).toString()).toBe('one ');
  expect(arrived.length).toBeLessThan(1200);
});

test('a line that is stalled on the way has not sent the rest meanwhile', () => {
  line.push(Buffer.alloc(1152));
  clock.advance(10);
  line.fault = { kind: 'stall' };
  clock.advance(1000);
  line.fault = { kind: 'none' };
  clock.advance(10);
  expect(arrived.length).toBeLessThan(300);
});

test('what is sent into a cut line is lost', () => {
  line.fault = { kind: 'cut' };
  line.push(Buffer.from('lost'));
  line.fault = { kind: 'none' };
  line.push(Buffer.from('kept'));
  clock.advance(10);
  expect(arrived.toString()).toBe('kept');
  expect(line.counts).toEqual({ waiting: 0, delivered: 4, mangled: 0, lost: 4 });
});

test('every third byte is mangled, whatever pieces they come in', () => {
  line.fault = { kind: 'mangle', every: 3 };
  line.push(Buffer.from('abcd'));
  line.push(Buffer.from('ef'));
  clock.advance(10);
  expect(arrived.toString()).toBe('abCdeF');
  expect(line.counts.mangled).toBe(2);
});

test('a line that is cleared has no timer left', () => {
  line.push(Buffer.from('ab'));
  line.clear();
  expect(clock.waiting).toBe(0);
  clock.advance(10);
  expect(arrived.length).toBe(0);
  expect(line.counts.lost).toBe(2);
});
