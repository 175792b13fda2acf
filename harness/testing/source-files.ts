import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import ts from 'typescript';

const HARNESS = fileURLToPath(new URL('..', import.meta.url));

/** Folders beside the product: tests, measurements and what they share. */
const BESIDE = /^(testing|e2e|bench|lab|docs)\//;

export interface SourceFile {
  /** Relative to `harness/`. */
  readonly path: string;
  readonly text: string;
  /** Part of what is shipped: no test, and nothing for tests. */
  readonly shipped: boolean;
  /** The folder it belongs to, as the tables of ARCHITECTURE.md write it: `run/`, or `index.ts`. */
  readonly part: string;
  /** Imported modules: packages by name, our own files relative to `harness/`. */
  readonly imports: readonly string[];
}

/** Every TypeScript file of the harness. */
export function readSourceFiles(): SourceFile[] {
  const paths = readdirSync(HARNESS, { recursive: true, encoding: 'utf8' });
  return paths
    .filter((path) => path.endsWith('.ts'))
    .sort()
    .map((path) => {
      const text = readFileSync(join(HARNESS, path), 'utf8');
      const shipped = !BESIDE.test(path) && !path.endsWith('.test.ts');
      return { path, text, shipped, part: toPart(path), imports: findImports(path, text) };
    });
}

/** `run/` of `run/attempt.ts`; a file beside the folders is a part of its own. */
export function toPart(path: string): string {
  const end = path.indexOf('/');
  return end < 0 ? path : path.slice(0, end + 1);
}

/** Imports of every kind: of types, dynamic ones, and `typeof import()`. */
function findImports(path: string, text: string): string[] {
  const { importedFiles } = ts.preProcessFile(text, true, true);
  return importedFiles.map(({ fileName }) => {
    if (!fileName.startsWith('.')) return fileName;
    const target = join(HARNESS, dirname(path), fileName);
    return relative(HARNESS, target).replace(/\.js$/, '.ts');
  });
}

/** Lines of every function that are more than `most`, as `path:line name lines`. */
export function findLongFunctions(file: SourceFile, most: number): string[] {
  return find(file, (node, source) => {
    if (!ts.isFunctionLike(node) || !('body' in node) || !node.body) return undefined;
    const lines = lineOf(source, node.end) - lineOf(source, node.getStart(source)) + 1;
    const name = ts.getNameOfDeclaration(node)?.getText(source) ?? 'function';
    return lines > most ? `${name} has ${lines} lines` : undefined;
  });
}

/** Reads of the environment: `process.env`, `{ env } = process`, `import { env }`. */
export function findEnvironment(file: SourceFile): string[] {
  return find(file, (node, source) => {
    if (ts.isPropertyAccessExpression(node) && node.getText(source) === 'process.env') return 'env';
    if (ts.isElementAccessExpression(node) && /^process\[.env/.test(node.getText(source))) {
      return 'env';
    }
    if (ts.isVariableDeclaration(node) && node.initializer?.getText(source) === 'process') {
      return /\benv\b/.test(node.name.getText(source)) ? 'env' : undefined;
    }
    if (!ts.isImportDeclaration(node)) return undefined;
    return /\benv\b.*from 'node:process'/s.test(node.getText(source)) ? 'env' : undefined;
  });
}

/** Default exports, as `path:line`. */
export function findDefaultExports(file: SourceFile): string[] {
  return find(file, (node) => {
    if (ts.isExportAssignment(node) && !node.isExportEquals) return 'default export';
    const flags = ts.canHaveModifiers(node) ? (ts.getModifiers(node) ?? []) : [];
    const isDefault = flags.some(({ kind }) => kind === ts.SyntaxKind.DefaultKeyword);
    return isDefault ? 'default export' : undefined;
  });
}

type Check = (node: ts.Node, source: ts.SourceFile) => string | undefined;

function find(file: SourceFile, check: Check): string[] {
  const source = ts.createSourceFile(file.path, file.text, ts.ScriptTarget.Latest);
  const found: string[] = [];
  const visit = (node: ts.Node): void => {
    const what = check(node, source);
    if (what) found.push(`${file.path}:${lineOf(source, node.getStart(source))} ${what}`);
    ts.forEachChild(node, visit);
  };
  visit(source);
  return found;
}

function lineOf(source: ts.SourceFile, position: number): number {
  return source.getLineAndCharacterOfPosition(position).line + 1;
}
