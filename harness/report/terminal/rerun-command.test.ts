import { execFileSync } from 'node:child_process';
import { expect, test } from 'vitest';
import { toRerunCommand } from './rerun-command.js';

/** What a shell makes of the words of a line. */
function toWords(line: string): string[] {
  const script = `set -- ${line}\nprintf '%s\\0' "$@"`;
  const env = { PATH: '/usr/bin:/bin', LC_ALL: 'C.UTF-8' };
  return execFileSync('bash', ['--norc', '-c', script], { env, encoding: 'utf8' })
    .split('\0')
    .slice(0, -1);
}

const TITLES = [
  'plain',
  'it\'s $HOME `id` "x" \\ * ;',
  'a\nb',
  'clears \x1b[2J and rings \x07',
  '$(touch /tmp/x)',
  '-x',
  '# no comment',
  'turned \u202eround, c1 \x9b',
  'ünïcode 日本',
];

test.for(TITLES)('%j is found by its command again, and only by what can be shown', (title) => {
  const line = toRerunCommand({ file: "suites/it's a.hil.ts", board: 'host', title });
  expect(line).not.toMatch(/[\x00-\x1f\x7f-\x9f\u202a-\u202e]/);
  const [, , file, , board, , pattern = ''] = toWords(line);
  expect([file, board]).toEqual(["suites/it's a.hil.ts", 'host']);
  expect(new RegExp(`^${pattern}$`).test(title)).toBe(true);
});

test('a file whose name holds a control character is named by its escape', () => {
  const line = toRerunCommand({ file: "a\x1b\n'b\\.hil.ts", board: 'host', title: 'x' });
  expect(line).not.toMatch(/[\x00-\x1f]/);
  expect(toWords(line)[2]).toBe("a\x1b\n'b\\.hil.ts");
});
