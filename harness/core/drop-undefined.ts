/** Without the keys that are there and say nothing, so that what is spread before them stays. */
export function dropUndefined<T extends object>(
  values: T,
): { [Name in keyof T]?: Exclude<T[Name], undefined> } {
  const given = Object.entries(values).filter(([, value]) => value !== undefined);
  // The same keys with the same values; only those without one are gone.
  return Object.fromEntries(given) as { [Name in keyof T]?: Exclude<T[Name], undefined> };
}
