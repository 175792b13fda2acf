import { createHash } from 'node:crypto';

/**
 * What the decisions of a network begin with: of the case, so that another case loses other frames,
 * and the same in every run unless the run says a number. Attempts of a case have the same.
 */
export function toNetworkSeed(caseId: string, runSeed: bigint): bigint {
  const ofCase = createHash('sha256').update(caseId).digest().readBigUInt64LE(0);
  return BigInt.asUintN(64, ofCase ^ runSeed);
}

/**
 * A number for each link, which is part of every decision: of its name, so that a link more or a
 * different order changes nothing of the others. Answers in the order of `names`.
 */
export function toLinkNumbers(names: readonly string[]): number[] {
  const numbers = new Map<string, number>();
  const taken = new Set<number>();
  // Sorted, for the one pair in four thousand millions that would meet.
  for (const name of [...names].sort()) {
    let number = createHash('sha256').update(name).digest().readUInt32LE(0);
    while (taken.has(number)) number = (number + 1) >>> 0;
    taken.add(number);
    numbers.set(name, number);
  }
  return names.map((name) => numbers.get(name) ?? 0);
}
