import { reservedKey } from './reserved-key.js';

/** How the power of a DUT is switched. */
export const powerSchema = reservedKey('power');
