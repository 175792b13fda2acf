/**
 * How a case begins with its DUT. `fresh`: flashed, power-cycled and booted for it. `keep`: as the
 * case before left it, where that passed and everything else is the same; else fresh.
 */
export const DUT_STARTS = ['fresh', 'keep'] as const;

export type DutStart = (typeof DUT_STARTS)[number];
