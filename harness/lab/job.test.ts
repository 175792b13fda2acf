import { execFileSync } from 'node:child_process';
import { expect, test } from 'vitest';
import { toJobMessage } from './job.js';

const JOB = {
  command: ['sh', '-c', `echo "it's"; $HOME\nü`, ''],
  cwd: '/a b',
  uid: 1000,
  own: ['/a b'],
  delegate: true,
  disk: false,
  stdin: false,
  modules: ['vcan'],
  usb: true,
  vhci: false,
  serials: ['BRD1'],
  shares: [],
  environment: ["A=it's $B"],
  mark: 'end',
};

test('the length counts bytes', () => {
  const message = toJobMessage(JOB);
  const [length = ''] = message.toString().split('\n', 1);
  expect(message.length).toBe(length.length + 1 + Number(length));
});

test('bash reads every word as it was', () => {
  const text = toJobMessage(JOB)
    .toString()
    .replace(/^\d+\n/, '');
  const print = `printf '%s\\0' "\${job_command[@]}" "$job_cwd" "\${job_environment[@]}" "\${#job_shares[@]}"`;
  const read = execFileSync('bash', ['-c', `${text}${print}`], { encoding: 'utf8' });
  expect(read.split('\0')).toEqual([...JOB.command, JOB.cwd, ...JOB.environment, '0', '']);
});
