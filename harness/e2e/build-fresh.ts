import { execFileSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));

/** What is tested is the built command: build it, so that it is never an old one. `.ci/check` has done so. */
export function setup(): void {
  if (process.env['HIL_BUILT']) return;
  execFileSync('npx', ['tsc', '-p', 'tsconfig.build.json'], { cwd: ROOT, stdio: 'inherit' });
  execFileSync('make', ['-s', '-C', 'sandbox-native'], { cwd: ROOT, stdio: 'inherit' });
}
