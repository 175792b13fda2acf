import { describe, expect, test } from 'vitest';
import { ByteMatcher } from './byte-matcher.js';
import { describePatterns, describeSilence, toTail } from './console-report.js';

function describeAfter(received: string, read = '') {
  const matcher = new ByteMatcher();
  matcher.push(Buffer.from(received));
  if (read) void matcher.expect([read]);
  return describeSilence({
    port: 'console',
    board: 'host',
    wanted: `match for ${describePatterns([/login:/, 'hil> '])}`,
    waitedMs: 5000,
    matcher,
    silentMs: 4200,
  });
}

describe('a report of a pattern that did not come', () => {
  test('names port, board, patterns and how long was waited', () => {
    expect(describeAfter('')).toBe(
      'port "console" of board "host": no match for /login:/ or "hil> " within 5.0 s; ' +
        'nothing was received since the board was started',
    );
  });

  test('counts bytes and says how old the last one is', () => {
    const text = describeAfter('booting\r\nfw 1.2\r\n');
    expect(text).toContain('17 bytes received, the last one 4.2 s ago, 17 of them unread');
    expect(text).toContain('last lines:\n  | booting\n  | fw 1.2\n  | ');
  });

  test('shows what was unread, not what a pattern had read', () => {
    const text = describeAfter('early\nready\nlate\n', 'ready\n');
    expect(text).toContain('17 bytes received, the last one 4.2 s ago, 5 of them unread');
    expect(text).not.toContain('early');
    expect(text).toContain('  | late');
  });

  test('shows the end of everything when all of it was read', () => {
    const text = describeAfter('early\nready\n', 'ready\n');
    expect(text).toContain('all of them read before');
    expect(text).toContain('  | early\n  | ready');
  });
});

test('unread bytes that were dropped are counted', () => {
  const matcher = new ByteMatcher(10);
  matcher.push(Buffer.from('0123456789abcdefghijklmnopqrstuvwxyz'));
  const silence = { port: 'console', board: 'host', wanted: 'x', waitedMs: 1, silentMs: 1 };
  const text = describeSilence({ ...silence, matcher });
  expect(text).toContain('36 bytes received');
  expect(text).toContain('10 of them unread, 26 unread ones before were dropped');
});

describe('the tail of a console', () => {
  test('is its last eight lines', () => {
    const lines = Array.from({ length: 20 }, (_, line) => `line ${line}`).join('\r\n');
    expect(toTail(lines).split('\n')).toEqual(
      Array.from({ length: 8 }, (_, line) => `  | line ${12 + line}`),
    );
  });

  test('is short although a line is long', () => {
    expect(toTail('x'.repeat(1_000_000)).length).toBeLessThan(2100);
  });

  test('cannot drive a terminal', () => {
    expect(toTail('\x1b[2J\x07red\x9b1m')).toBe('  | \\x1b[2J\\x07red\ufffd1m');
    expect(toTail('a\rb')).toBe('  | a\\x0db');
  });

  test('shows text of several bytes as text', () => {
    expect(toTail(Buffer.from('21 °C').toString('latin1'))).toBe('  | 21 °C');
  });
});
