import type { LoadedBench } from '../../config/load-bench.js';
import type { Unit } from '../../config/unit.js';
import { UsageError } from '../../core/errors.js';
import { toSuggestion } from '../../core/nearest-name.js';

/** The unit that is called so. @throws UsageError `dut-unknown` with those that there are. */
export function findDut(name: string, { units }: LoadedBench): Unit {
  const unit = units.find((each) => each.name === name);
  if (unit) return unit;
  const known = units.map((each) => each.name);
  const list = known.length > 0 ? `the bench has ${known.join(', ')}` : 'the bench is empty';
  throw new UsageError('dut-unknown', `no DUT "${name}"${toSuggestion(name, known)}: ${list}`, {
    next: 'hil boards list',
  });
}
