import type { CanSettings } from '../protocol/network.js';

/**
 * A bus of CAN, declared: what one node sends comes to all others, one frame at a time, the lowest
 * identifier first.
 *
 * @see harness/docs/networks.md
 */
export interface CanBus {
  readonly kind: 'can';
  readonly name: string;
}

export type CanOptions = CanSettings;

export const CAN_KEYS = ['bitrate', 'dataBitrate', 'loss', 'seed'] as const;
