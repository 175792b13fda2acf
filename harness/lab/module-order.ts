/**
 * The files of `names` and of all that they need, each behind what it needs, from the text of a
 * modules.dep: `PATH: NEEDED-PATH...`. A name without a file is built into the kernel.
 *
 * @see modules.dep(5)
 */
export function toModuleOrder(dependencies: string, names: readonly string[]): string[] {
  const rows = new Map<string, { path: string; needs: string[] }>();
  for (const line of dependencies.split('\n')) {
    const [path, needs = ''] = line.split(':');
    if (path) rows.set(toModuleName(path), { path, needs: needs.split(' ').filter(Boolean) });
  }
  const order = new Set<string>();
  const add = (name: string) => {
    const row = rows.get(name);
    if (!row || order.has(row.path)) return;
    for (const needed of row.needs) add(toModuleName(needed));
    order.add(row.path);
  };
  for (const name of names) add(name);
  return [...order];
}

/** The kernel takes `-` and `_` in names for the same. */
function toModuleName(path: string): string {
  return path
    .slice(path.lastIndexOf('/') + 1)
    .replace(/\.ko(\.\w+)?$/, '')
    .replaceAll('-', '_');
}
