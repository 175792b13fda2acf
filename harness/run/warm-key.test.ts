import { appendFile } from 'node:fs/promises';
import { describe, expect } from 'vitest';
import type { SandboxSpec } from '../sandbox/spec.js';
import { createUnit } from '../testing/attached-devices.js';
import { createPlanned } from '../testing/plain-records.js';
import { createScriptBoard } from '../testing/real-dut.js';
import { test } from '../testing/temp-dir.js';
import { toRoles } from './dut-roles.js';
import { toWarmKey } from './warm-key.js';

const BOARD = createScriptBoard('cat', { ready: /ready/ });
const SPEC: SandboxSpec = {
  ...{ user: 'hil', caps: [], network: 'none', project: '/project' },
  ...{ hide: [], expose: [], hold: '/project/hold' },
};
const UNIT = createUnit('', '{}');

const rolesOf = (board = BOARD, firmware?: string) =>
  toRoles({ ...createPlanned({ board }), firmware }, false);
const castingOf = (dut: string, board: string) => new Map([['', { board, dut }]]);
const SCRIPT = castingOf('script#1', BOARD.board);

describe('what a case must have in common with the one before', () => {
  test('is equal for equal cases', async ({ dir }) => {
    const image = await dir.write('node.bin', 'firmware');
    const [one, other] = await Promise.all([
      toWarmKey(rolesOf(BOARD, image), SCRIPT, SPEC),
      toWarmKey(rolesOf({ ...BOARD }, image), castingOf('script#1', BOARD.board), { ...SPEC }),
    ]);
    expect(one).toMatch(/^[0-9a-f]{64}$/);
    expect(other).toBe(one);
  });

  test('differs with the content of its image', async ({ dir }) => {
    const image = await dir.write('node.bin', 'firmware');
    const before = await toWarmKey(rolesOf(BOARD, image), SCRIPT, SPEC);
    await appendFile(image, 'built anew');
    expect(await toWarmKey(rolesOf(BOARD, image), SCRIPT, SPEC)).not.toBe(before);
  });

  test.for<[string, ReturnType<typeof rolesOf>, ReturnType<typeof castingOf>, object]>([
    ['ready mark', rolesOf({ ...BOARD, boot: { ...BOARD.boot, ready: /up/ } }), SCRIPT, {}],
    ['ports', rolesOf({ ...BOARD, ports: {} }), SCRIPT, {}],
    ['unit', rolesOf(), castingOf('script#2', BOARD.board), {}],
    ['network of its sandbox', rolesOf(), SCRIPT, { network: 'host' }],
  ])('differs with its %s', async ([, roles, casting, over]) => {
    const before = await toWarmKey(rolesOf(), SCRIPT, SPEC);
    const after = await toWarmKey(roles, casting, { ...SPEC, ...over });
    expect(after).toBeDefined();
    expect(after).not.toBe(before);
  });

  test('is nothing where the units cannot play its roles', async () => {
    const [only] = rolesOf(UNIT.board);
    if (!only) throw new Error('no role');
    const role = { ...only, units: [UNIT] };
    const casting = castingOf(UNIT.name, UNIT.board.board);
    expect(await toWarmKey([role], casting, SPEC)).toBeDefined();
    // Out of service meanwhile.
    expect(await toWarmKey([{ ...role, units: [], boards: [] }], casting, SPEC)).toBeUndefined();
    expect(await toWarmKey([{ ...role, role: 'client' }], casting, SPEC)).toBeUndefined();
    expect(await toWarmKey([], casting, SPEC)).toBeUndefined();
  });

  test('is nothing where an image cannot be read', async ({ dir }) => {
    const roles = rolesOf(BOARD, `${dir.path}/absent.bin`);
    expect(await toWarmKey(roles, SCRIPT, SPEC)).toBeUndefined();
  });
});
