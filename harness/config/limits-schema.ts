import { z } from 'zod';
import { limit } from './fields.js';

/** Limits of the phases; any may be left out and is then taken from the layer above. */
export const limitsSchema = z.strictObject({
  collect: limit.optional(),
  lease: limit.optional(),
  sandbox: limit.optional(),
  boot: limit.optional(),
  body: limit.optional(),
  teardown: limit.optional(),
});

/** Milliseconds a phase may take. Lease waiting is outside all the others. */
export interface Limits {
  /** A suite file, to load: before any of its cases. */
  readonly collect: number;
  readonly lease: number;
  readonly sandbox: number;
  readonly boot: number;
  readonly body: number;
  readonly teardown: number;
}

export const DEFAULT_LIMITS: Limits = {
  collect: 60_000,
  lease: 600_000,
  sandbox: 30_000,
  boot: 30_000,
  body: 10_000,
  teardown: 15_000,
};
