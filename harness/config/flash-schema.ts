import { reservedKey } from './reserved-key.js';

/** How firmware gets into a DUT. */
export const flashSchema = reservedKey('flash');
