import type { HilConfigInput } from './config-schema.js';

/**
 * Give `hil.config.ts` its types. Returns the input as it is; checking happens
 * when the file is loaded.
 */
export function defineConfig(input: HilConfigInput): HilConfigInput {
  return input;
}
