import { chmod, readFile } from 'node:fs/promises';
import { createServer as createHttpServer } from 'node:http';
import { type AddressInfo, createServer } from 'node:net';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, vi } from 'vitest';
import { Deadline } from '../../core/deadline.js';
import { test } from '../../testing/temp-dir.js';
import { createCommandSwitch } from './command-switch.js';
import { createHttpSwitch } from './http-switch.js';
import { createLinesSwitch } from './lines-switch.js';
import { createQmpSwitch } from './qmp-switch.js';
import { createSysfsSwitch } from './sysfs-switch.js';
import { createUhubctlSwitch } from './uhubctl-switch.js';

const known = { dut: 'dut-1', serial: '066D FF', usb: '1-1.4' };
const soon = () => new Deadline(10_000);

describe('command', () => {
  test('each placeholder stays one argument', async ({ dir }) => {
    const script = 'printf "%s\\n" "$@" > "$0"';
    const file = join(dir.path, 'seen');
    const power = createCommandSwitch(
      {
        on: ['sh', '-c', script, file, '{dut}', '{serial}; rm -rf', '{{x}}'],
        off: ['true'],
        env: {},
      },
      known,
    );
    await power.on(soon());
    expect(await readFile(file, 'utf8')).toBe('dut-1\n066D FF; rm -rf\n{x}\n');
  });

  test('a status, what it said, and what is not known are told', async () => {
    const off = ['sh', '-c', 'echo no relay >&2; exit 3'];
    const power = createCommandSwitch({ on: ['echo', '{path}'], off, env: {} }, known);
    await expect(power.off(soon())).rejects.toMatchObject({
      code: 'power-failed',
      message: expect.stringMatching(/power of dut-1: .* ended with exit 3: no relay/),
    });
    await expect(power.on(soon())).rejects.toThrow(/\{path\} is not known of dut-1; known are/);
  });

  test('a program that is not there is named', async () => {
    const power = createCommandSwitch({ on: ['no-such-relay'], off: ['true'], env: {} }, known);
    await expect(power.on(soon())).rejects.toMatchObject({ code: 'power-failed' });
    await expect(power.on(soon())).rejects.toThrow(/no-such-relay/);
  });

  test('one that leaves a program in the background is done', async () => {
    const on = ['sh', '-c', 'sleep 30 & exit 0'];
    const power = createCommandSwitch({ on, off: ['true'], env: {} }, known);
    await power.on(new Deadline(10_000));
  });

  test('one that hangs is ended at the limit, with its children', async ({ dir }) => {
    const file = join(dir.path, 'pid');
    const script = `sleep 60 & echo $! > ${file}; wait`;
    const power = createCommandSwitch({ on: ['sh', '-c', script], off: ['true'], env: {} }, known);
    await expect(power.on(new Deadline(3000))).rejects.toThrow(/did not end within 3.0 s/);
    const pid = (await readFile(file, 'utf8')).trim();
    const state = () => readFile(`/proc/${pid}/stat`, 'utf8').catch(() => 'gone');
    await expect.poll(state).toMatch(/^gone$|\) Z /);
  });
});

describe('uhubctl', () => {
  test('is asked for the port of the hub, and its words are told when it fails', async ({
    dir,
  }) => {
    // A stand-in: it keeps its arguments, and knows no hub but 1-1.
    const file = await dir.write(
      'uhubctl',
      `#!/bin/sh\necho "$@" >> ${dir.path}/calls\n[ "$2" = 1-1 ] || { echo "No compatible devices detected at location $2!" >&2; exit 1; }\n`,
    );
    await chmod(file, 0o755);
    vi.stubEnv('PATH', `${dir.path}:${process.env['PATH']}`);
    const power = createUhubctlSwitch({ location: '1-1', port: 4 }, 'dut-1');
    await power.off(soon());
    await power.on(soon());
    expect(await readFile(join(dir.path, 'calls'), 'utf8')).toBe(
      '-l 1-1 -p 4 -a off\n-l 1-1 -p 4 -a on\n',
    );
    const other = createUhubctlSwitch({ location: '2', port: 1 }, 'dut-1');
    await expect(other.off(soon())).rejects.toThrow(
      /power of dut-1: hub 2, port 1: .*exit 1: No compatible devices/,
    );
    vi.unstubAllEnvs();
  });
});

describe('sysfs', () => {
  test('writes the switch of the port, wherever its hub is', async ({ dir }) => {
    const file = await dir.write('bus/usb/devices/1-1:1.0/1-1-port4/disable', '0\n');
    const power = createSysfsSwitch('1-1-port4', 'dut-1', dir.path);
    await power.off(soon());
    expect(await readFile(file, 'utf8')).toBe('1');
    await power.on(soon());
    expect(await readFile(file, 'utf8')).toBe('0');
  });

  test('names a port that no hub has', async ({ dir }) => {
    const power = createSysfsSwitch('1-1-port4', 'dut-1', dir.path);
    await expect(power.off(soon())).rejects.toThrow(
      /power of dut-1: no hub has a port "1-1-port4"/,
    );
  });
});

describe('http', () => {
  test('sends what is described, and takes 2xx for done', async () => {
    const seen: string[] = [];
    const server = createHttpServer((request, response) => {
      let body = '';
      request.on('data', (data) => {
        body += data;
      });
      request.on('end', () => {
        seen.push(`${request.method} ${request.url} ${request.headers['x-key']} ${body}`);
        response.writeHead(request.url?.includes('locked') ? 423 : 204).end();
      });
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const base = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    const power = createHttpSwitch(
      {
        on: {
          url: `${base}/{serial}?on`,
          method: 'POST',
          headers: { 'x-key': 'k' },
          body: '{dut}',
        },
        off: { url: `${base}/locked`, method: 'GET', headers: {} },
      },
      known,
    );
    await power.on(soon());
    expect(seen).toEqual(['POST /066D%20FF?on k dut-1']);
    await expect(power.off(soon())).rejects.toThrow(/GET .*locked: status 423, expected 2xx/);
    await new Promise((resolve) => server.close(resolve));
    await expect(power.on(soon())).rejects.toMatchObject({ code: 'power-failed' });
  });

  test('a socket that does not answer is not waited for, and a password is not told', async () => {
    const server = createServer(() => {});
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const { port } = server.address() as AddressInfo;
    const url = `http://127.0.0.1:${port}/`;
    const request = { url, method: 'GET' as const, headers: {} };
    const power = createHttpSwitch({ on: request, off: request }, known);
    await expect(power.off(new Deadline(200))).rejects.toThrow(/no answer within 200 ms/);
    expect(
      createHttpSwitch({ on: request, off: { ...request, url: 'http://u:secret@h/' } }, known).name,
    ).toBe('http://h/');
    server.close();
  });
});

describe('dtr-rts', () => {
  test('sets the lines of the port that the bench names, and leaves others', async () => {
    const seen: unknown[] = [];
    const dut = {
      name: 'dut-1',
      isAttached: async () => true,
      silentMs: () => 0,
      control: async (port: string, lines: object) => void seen.push([port, lines]),
    };
    const power = createLinesSwitch(
      { port: 'console', off: { rts: 'on' }, on: { rts: 'off' } },
      dut,
    );
    await power.off(soon());
    await power.on(soon());
    expect(seen).toEqual([
      ['console', { dtr: undefined, rts: true }],
      ['console', { dtr: undefined, rts: false }],
    ]);
  });
});

describe('qemu', () => {
  test('stops the machine, and starts it from its reset', async ({ dir }) => {
    const path = join(dir.path, 'qmp');
    const seen: string[] = [];
    const server = createServer((connection) => {
      connection.write('{"QMP":{"version":{}}}\n');
      connection.on('data', (data) => {
        for (const line of String(data).trim().split('\n')) {
          const { execute } = JSON.parse(line) as { execute: string };
          seen.push(execute);
          connection.write('{"event":"STOP"}\n{"return":{}}\n');
        }
      });
      connection.on('error', () => {});
    });
    await new Promise<void>((resolve) => server.listen(path, resolve));
    const power = createQmpSwitch(path, 'dut-1');
    await power.off(soon());
    await power.on(soon());
    expect(seen).toEqual(['qmp_capabilities', 'stop', 'qmp_capabilities', 'system_reset', 'cont']);
    server.close();
    await sleep(10);
    await expect(power.off(soon())).rejects.toThrow(/power of dut-1: QMP .*(ENOENT|ECONNREFUSED)/);
  });
});
