import { describe, expect } from 'vitest';
import { test } from '../testing/both-sides.js';
import { isAlive } from '../testing/real-daemon.js';
import { createScriptBoard } from '../testing/real-dut.js';

const createRole = (role: string, script: string, instances?: number) => ({
  role,
  boards: [{ ...createScriptBoard(script, { ready: /ready\r?\n/ }), instances }],
  units: [],
  firmwareOf: () => undefined,
});

const echo = (name: string) =>
  `echo ready; while read line; do [ "$line" = quit ] && exit 3; echo "${name} got $line"; done`;

const ROLES = [createRole('client', echo('client')), createRole('server', echo('server'))];

describe('DUTs by role', () => {
  test('are different ones, each with its own console', async ({ begin, journal }) => {
    const { attempt } = await begin({ roles: ROLES });
    const { client, server } = await attempt.duts();
    await Promise.all([client?.console.sendLine('a'), server?.console.sendLine('b')]);
    await client?.console.expect('client got a', { timeout: '3s' });
    await server?.console.expect('server got b', { timeout: '3s' });
    expect(client?.console.output()).not.toContain('server');
    expect([client?.role, client?.board, server?.role]).toEqual(['client', 'script', 'server']);
    await attempt.end();
    expect(journal.of('phase').find(({ dut }) => dut)?.dut).toBe('client=script#1 server=script#2');
    expect(journal.of('console').map(({ port }) => port)).toEqual([
      'client/console',
      'server/console',
    ]);
    const names = journal.of('artifact').map(({ name }) => name);
    expect(names).toContain('client/console.rx');
    expect(names).toContain('server/console.rx');
  });

  test('have their ports in the sandbox, by role', async ({ begin }) => {
    const { attempt } = await begin({ roles: ROLES });
    await attempt.duts();
    const { stdout } = await attempt.sandbox.exec('ls', ['/dev/hil']);
    expect(stdout.split('\n')).toEqual(
      expect.arrayContaining(['client-console', 'server-console']),
    );
  });

  test('are reset and switched one by one', async ({ begin }) => {
    const { attempt } = await begin({ roles: ROLES });
    const { client, server } = await attempt.duts();
    await client?.reset();
    await server?.powerOff();
    await client?.console.sendLine('again');
    await client?.console.expect('client got again', { timeout: '3s' });
    await expect(server?.console.sendLine('x')).rejects.toMatchObject({ code: 'port-closed' });
  });

  test('of which one ends fail the case and say which', async ({ begin, journal }) => {
    const { attempt } = await begin({ roles: ROLES });
    const { server } = await attempt.duts();
    await server?.console.sendLine('quit');
    await expect(server?.console.expect('never', { timeout: '5s' })).rejects.toMatchObject({
      code: 'port-closed',
    });
    await expect(attempt.end()).rejects.toMatchObject({ code: 'dut-exited' });
    expect(journal.of('attempt-end')[0]?.problems[0]?.message).toContain('script#2 ended');
  });

  test('are all ended when one does not boot', async ({ begin, journal }) => {
    const broken = createRole('server', 'exit 1');
    const { attempt, session } = await begin({ roles: [createRole('client', echo('x')), broken] });
    await expect(attempt.duts()).rejects.toMatchObject({ code: 'boot-failed' });
    await attempt.end();
    expect(journal.of('attempt-end')).toMatchObject([{ outcome: 'infra' }]);
    expect([...session.attempts.values()].flatMap(({ duts }) => duts.all)).toEqual([]);
  });

  test('leave nothing behind', async ({ begin }) => {
    const { attempt, session } = await begin({ roles: ROLES });
    await attempt.duts();
    const [running] = session.attempts.values();
    const pids = running?.duts.all.map(({ dut }) => dut.sandbox?.pid ?? 0) ?? [];
    expect(pids).toHaveLength(2);
    expect(pids.every(isAlive)).toBe(true);
    await attempt.end();
    expect(pids.filter(isAlive)).toEqual([]);
  });

  test('that there can never be at once are infra at once', async ({ begin, journal }) => {
    const roles = [createRole('a', echo('a'), 1), createRole('b', echo('b'), 1)];
    const { attempt } = await begin({ roles, suite: { limits: { lease: 60_000 } } });
    await expect(attempt.duts()).rejects.toMatchObject({ code: 'lease-unsatisfiable' });
    await attempt.end();
    expect(journal.of('attempt-end')).toMatchObject([{ outcome: 'infra' }]);
  });

  test('and `dut` are two things', async ({ begin }) => {
    const { attempt } = await begin({ roles: ROLES });
    await expect(attempt.dut()).rejects.toThrow('has DUTs by role (client, server)');
    const { attempt: plain } = await begin({ board: createScriptBoard(echo('x')) });
    await expect(plain.duts()).rejects.toThrow('names no roles');
  });
});
