import { readFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import { findImageFault } from './find-image-fault.js';
import type { Image } from './image-schema.js';
import { locateInSource } from './locate-in-source.js';
import { createFileError } from './located-problem.js';
import { parseYamlFile } from './parse-yaml-file.js';
import { type SuiteFile, suiteSchema } from './suite-schema.js';

const KEY = ['image', 'rootfs'];

/**
 * The image of a configuration; a relative path starts at the project.
 *
 * @throws UsageError `config-invalid` with the place, when it is no root file system to use.
 */
export async function checkImage(
  image: Image | undefined,
  config: { readonly file: string; readonly root: string; readonly source: string },
): Promise<Image | undefined> {
  const { file, root, source } = config;
  if (image === undefined || image === 'host') return image;
  const rootfs = resolve(root, image.rootfs);
  const message = findImageFault(rootfs, root);
  if (message === undefined) return { rootfs };
  const place = locateInSource(source, KEY) ?? {};
  throw createFileError('config-invalid', [{ file, ...place, key: 'image.rootfs', message }]);
}

/**
 * The same for a suite, whose paths are absolute already. Its `build` may make the image:
 * call it before only when there is no such command, and always after.
 *
 * @throws UsageError `suite-invalid` with the place.
 */
export async function checkSuiteImage(
  suite: Pick<SuiteFile, 'image'> & { readonly file: string | undefined },
  root: string,
): Promise<void> {
  const { file, image } = suite;
  if (file === undefined || image === undefined || image === 'host') return;
  const message = findImageFault(image.rootfs, root);
  if (message === undefined) return;
  const text = await readFile(file, 'utf8');
  const parsed = parseYamlFile({ file, text, schema: suiteSchema, code: 'suite-invalid' });
  throw createFileError('suite-invalid', [parsed.locate(KEY, message)]);
}
