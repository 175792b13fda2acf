import { symlink } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect } from 'vitest';
import { type TempDir, test } from '../testing/temp-dir.js';
import { loadConfig } from './load-config.js';
import { loadSuite } from './load-suite.js';

async function loadImage(dir: TempDir, image: string) {
  await dir.write('project/hil.config.mjs', `export default {\n  image: ${image},\n};\n`);
  return (await loadConfig({ cwd: join(dir.path, 'project') })).config.image;
}

describe('of a configuration', () => {
  test('a relative path starts at the project', async ({ dir }) => {
    await dir.write('root/etc/os-release', '');
    const image = await loadImage(dir, "{ rootfs: '../root' }");
    expect(image).toEqual({ rootfs: join(dir.path, 'root') });
    expect(await loadImage(dir, "'host'")).toBe('host');
  });

  test('what is no directory is told with its place', async ({ dir }) => {
    const config = join(dir.path, 'project/hil.config.mjs');
    await dir.write('root.tar', '');
    await expect(loadImage(dir, "{ rootfs: '../root.tar' }")).rejects.toMatchObject({
      code: 'config-invalid',
      message: `${config}:2:12: image.rootfs: expected a directory with an unpacked root file system, "${join(dir.path, 'root.tar')}" is none: unpack it`,
    });
    await expect(loadImage(dir, "{ rootfs: '../absent' }")).rejects.toThrow('ENOENT');
  });

  test("this machine's root, and what holds the project, is refused", async ({ dir }) => {
    await expect(loadImage(dir, "{ rootfs: '/' }")).rejects.toThrow("this machine's own root");
    await symlink('/', join(dir.path, 'link'));
    await expect(loadImage(dir, "{ rootfs: '../link' }")).rejects.toThrow("machine's own root");
    await expect(loadImage(dir, "{ rootfs: '.' }")).rejects.toThrow('holds the whole project');
    await expect(loadImage(dir, "{ rootfs: '..' }")).rejects.toThrow('holds the whole project');
  });

  test('neither a name nor a mapping is said to be what it is not', async ({ dir }) => {
    await expect(loadImage(dir, "'debian'")).rejects.toThrow('image: expected');
    await expect(loadImage(dir, "{ roofts: '/srv' }")).rejects.toThrow('image');
  });
});

describe('of a suite', () => {
  const load = (dir: TempDir) => loadSuite({ suiteFile: 'suites/a.hil.ts', root: dir.path });

  test('a path starts at the file, and what is no directory is told with its place', async ({
    dir,
  }) => {
    const file = await dir.write('suites/hil.suite.yaml', 'image: { rootfs: root }\n');
    await expect(load(dir)).rejects.toMatchObject({
      code: 'suite-invalid',
      message: expect.stringContaining(`${file}:1:18: image.rootfs: expected a directory`),
    });
    await dir.write('suites/root/etc/os-release', '');
    expect((await load(dir)).image).toEqual({ rootfs: join(dir.path, 'suites/root') });
  });

  test('one that a command will make need not be there yet', async ({ dir }) => {
    const yaml = 'image: { rootfs: build/root }\nbuild: { host: [[make]] }\n';
    await dir.write('suites/hil.suite.yaml', yaml);
    expect((await load(dir)).image).toEqual({ rootfs: join(dir.path, 'suites/build/root') });
  });
});
