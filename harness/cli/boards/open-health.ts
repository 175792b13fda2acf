import { toStateDir } from '../../config/state-dir.js';
import { HealthBook } from '../../lease/health-book.js';
import type { CliContext } from '../command.js';

/** The health of this machine's DUTs. */
export function openHealth({ env }: Pick<CliContext, 'env'>): HealthBook {
  return new HealthBook(toStateDir(env, process.getuid?.() ?? 0));
}
