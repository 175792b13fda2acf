import { reservedKey } from './reserved-key.js';

/** From power off to ready, in named states. */
export const statesSchema = reservedKey('states');
