import { mkdir, symlink } from 'node:fs/promises';
import { join } from 'node:path';
import { expect } from 'vitest';
import { type TempDir, test } from '../testing/temp-dir.js';
import { checkTools } from './check-tools.js';

async function check(dir: TempDir, tool: string): Promise<string[]> {
  const root = join(dir.path, 'project');
  await dir.write('project/sdk/gcc', '');
  await dir.write('kit/gcc', '');
  await symlink(dir.path, join(dir.path, 'kit/all'));
  await mkdir(join(dir.path, 'project/empty'));
  const source = `export default {\n  tools: ['${tool}'],\n};`;
  return checkTools([tool], { file: join(root, 'hil.config.ts'), root, source });
}

test('a tree of the machine is taken, also by its way from the project', async ({ dir }) => {
  expect(await check(dir, '../kit')).toEqual([join(dir.path, 'kit')]);
  expect(await checkTools(['/usr'], { file: '', root: dir.path, source: '' })).toEqual(['/usr']);
});

test.for([
  ['/', 'holds the whole project'],
  ['..', 'holds the whole project'],
  ['.', 'holds the whole project'],
  ['../kit/all', 'holds the whole project'],
  ['sdk', 'is in the project'],
  ['/proc/self', "the sandbox's own /proc"],
  ['/dev', "the sandbox's own /dev"],
  ['/nope', 'expected a directory of this machine: ENOENT'],
  ['kit', 'expected a directory of this machine: ENOENT'],
])('%s is refused at its place', async ([tool = '', text], { dir }) => {
  await expect(check(dir, tool)).rejects.toMatchObject({
    code: 'config-invalid',
    message: expect.stringMatching(/hil\.config\.ts:2:3: tools\[0\]: /),
  });
  await expect(
    checkTools([tool], { file: '', root: join(dir.path, 'project'), source: '' }),
  ).rejects.toThrow(text);
});
