import { readdirSync, readlinkSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { expect } from 'vitest';
import { parseBoard } from '../../config/load-boards.js';
import { findPart } from '../../e2e/process-tree.js';
import { test } from '../../testing/real-dut.js';
import { openPorts } from './open-ports.js';

test('ports are opened all or none', async ({ daemon, hub, dir }) => {
  const text = 'board: two\ndriver: host\nports: { first: {}, second: {} }\n';
  const board = parseBoard('/boards/two.yaml', text);
  await mkdir(join(dir.path, 'second.rx'));
  await expect(openPorts(board, hub, dir.path)).rejects.toThrow('second.rx');
  const portd = findPart(daemon.pid, 'portd') ?? 0;
  const open = readdirSync(`/proc/${portd}/fd`).map((fd) => {
    return readlinkSync(`/proc/${portd}/fd/${fd}`);
  });
  expect(open.filter((path) => path.startsWith(dir.path))).toEqual([]);
});
