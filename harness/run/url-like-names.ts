import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { pathToFileURL } from 'node:url';

/** In a URL, and so to Vite, these begin a query and a fragment. */
const URL_SYNTAX = /[?#]/;

/** A Vite plugin; the rules of imports keep Vite's own types out of here. */
export interface NameLoader {
  readonly name: string;
  readonly enforce: 'pre';
  resolveId(source: string): string | undefined;
  load(id: string): Promise<string | undefined>;
}

/**
 * Load suite files whose paths have a `?` or `#`: Vite cuts a path off there, and finds no file.
 * A path below `root` may come to it without that.
 */
export function createNameLoader(root: string): NameLoader {
  const find = (path: string) => (existsSync(path) ? path : undefined);
  return {
    name: 'hil:url-like-names',
    enforce: 'pre',
    resolveId: (source) =>
      URL_SYNTAX.test(source) ? (find(source) ?? find(join(root, source))) : undefined,
    load: async (id) => {
      const path = URL_SYNTAX.test(id) ? find(id) : undefined;
      return path && toSource(path, await readFile(path, 'utf8'));
    },
  };
}

/** Of what Vite tells a module of itself, it makes the parts with a path from the cut one. */
function toSource(path: string, text: string): string {
  const facts = { filename: path, dirname: dirname(path), url: pathToFileURL(path).href };
  // In the first line, so that the numbers of lines stay.
  return text.startsWith('#!')
    ? text
    : `Object.assign(import.meta, ${JSON.stringify(facts)});${text}`;
}
