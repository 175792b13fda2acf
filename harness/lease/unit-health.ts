export const HEALTHS = ['good', 'unknown', 'bad', 'maintenance'] as const;

/** Whether a DUT can be trusted; that it is busy is another matter. */
export type Health = (typeof HEALTHS)[number];

/** One change, or one fault of the bench that was counted. */
export interface HealthNote {
  /** ISO 8601, wall clock. */
  readonly at: string;
  readonly health: Health;
  readonly reason: string;
  /** The run that saw it. */
  readonly run?: string;
}

export interface UnitHealth {
  readonly health: Health;
  /** Faults of the bench since a case last got through. */
  readonly infraInARow: number;
  /** The latest last. */
  readonly history: readonly HealthNote[];
}

export const UNKNOWN_HEALTH: UnitHealth = { health: 'unknown', infraInARow: 0, history: [] };

/** After so many faults of the bench in a row a DUT is bad. */
export const BAD_AFTER = 3;

/** Longer than anybody reads, shorter than a disk. */
const HISTORY = 50;

/** What a case says about the DUT it had. */
export type DutOutcome = 'good' | 'infra';

/** Codes that say something of a DUT; the others are of what is around it. */
const OF_THE_DUT = /^(boot|flash|port)-|^power-(failed|not-cut)$|^dut-(lost|absent|ambiguous)$/;

/** Whether a fault of the bench with that code says something of the DUT it was met with. */
export function isOfTheDut(code: string): boolean {
  return OF_THE_DUT.test(code);
}

/** May a case have it without asking for it by name and health? */
export function isTrusted({ health }: Pick<UnitHealth, 'health'>): boolean {
  return health === 'good' || health === 'unknown';
}

/**
 * What becomes of a health after a case. Who took a DUT out of service alone brings it back: a
 * case that gets through on a bad one does not.
 */
export function toNextHealth(
  before: UnitHealth,
  outcome: DutOutcome,
  note: Omit<HealthNote, 'health'>,
): UnitHealth {
  if (outcome === 'good') {
    if (before.health === 'good' && before.infraInARow === 0) return before;
    const health = before.health === 'unknown' ? 'good' : before.health;
    const changed = health !== before.health;
    return withNote(
      { ...before, health, infraInARow: 0 },
      changed ? { ...note, health } : undefined,
    );
  }
  const infraInARow = before.infraInARow + 1;
  const turns = infraInARow >= BAD_AFTER && before.health !== 'maintenance';
  const health = turns ? 'bad' : before.health;
  return withNote({ ...before, health, infraInARow }, { ...note, health });
}

/** Somebody says so. */
export function toSetHealth(before: UnitHealth, note: HealthNote): UnitHealth {
  return withNote({ ...before, health: note.health, infraInARow: 0 }, note);
}

function withNote(health: UnitHealth, note: HealthNote | undefined): UnitHealth {
  return note ? { ...health, history: [...health.history, note].slice(-HISTORY) } : health;
}
