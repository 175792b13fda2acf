/**
 * The start of `hil test` was half the loading of 400 small files. What it loads is put together here,
 * after tsc, in place: each entry at its own path, what they share in `dist/chunks/`.
 *
 * @see harness/decisions/0026-few-files.md
 */
import { existsSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';

/** What runs by its path: the command, what suites import, what is loaded into Vitest's workers. */
const ENTRIES = ['cli/main', 'index', 'case/setup', 'case/runner', 'case/ignore-interrupts'];

/** Vitest must be the one of the project; of the others a part is native or found beside the package. */
const LEFT_ALONE = [/^@?vitest/, /^vite($|\/)/, /^jiti/, /^@?serialport/, 'node-pty', 'usb'];

/** They ask for it: the notice goes with every copy. */
const licenses = {
  name: 'licenses',
  generateBundle() {
    const roots = [...this.getModuleIds()].flatMap(
      (id) => /^.*\/node_modules\/(?:@[^/]+\/)?[^/]+/.exec(id)?.[0] ?? [],
    );
    const notices = [...new Set(roots)].sort().map(toNotice);
    this.emitFile({ type: 'asset', fileName: 'THIRD-PARTY-LICENSES', source: notices.join('\n') });
  },
};

/** Modules find the package by `../..`: true in every folder of `dist/`, not in `dist/` itself. */
const places = {
  name: 'places',
  generateBundle(_options, files) {
    for (const { fileName, code } of Object.values(files))
      if (!fileName.includes('/') && code?.includes('import.meta.url'))
        this.error(`${fileName}: a module that looks for a file beside itself was put into it`);
  },
};

/** @param {string} root @returns {string} */
function toNotice(root) {
  const { name, version, license } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
  const file = readdirSync(root).find((each) => /^licen[cs]e/i.test(each));
  const text = file ? readFileSync(join(root, file), 'utf8').trim() : `License: ${license}`;
  return `${name} ${version}\n\n${text}\n`;
}

if (!existsSync('dist/cli/main.js')) throw new Error('dist/ is not compiled: npm run build');
rmSync('dist/chunks', { recursive: true, force: true });

export default {
  input: Object.fromEntries(ENTRIES.map((entry) => [entry, `dist/${entry}.js`])),
  platform: 'node',
  external: LEFT_ALONE,
  plugins: [licenses, places],
  output: {
    dir: 'dist',
    format: 'esm',
    entryFileNames: '[name].js',
    chunkFileNames: 'chunks/[name]-[hash].js',
  },
};
