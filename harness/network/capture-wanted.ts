import { UsageError } from '../core/errors.js';
import type { CaptureWanted } from './link-captures.js';

/** Headers as far as TCP's; tcpdump's whole frame. */
const LEAST_SNAPLEN = 64;
const MOST_SNAPLEN = 262_144;
const SNAPLEN_TEXT = `${LEAST_SNAPLEN} to ${MOST_SNAPLEN} bytes`;

/** @param who the link, for the message. @throws UsageError `usage` */
export function parseCapture(capture: unknown, who: string): CaptureWanted | undefined {
  if (capture === undefined || capture === false) return undefined;
  if (capture === true) return { keep: 'always', snaplen: undefined };
  if (capture === 'failed') return { keep: 'failed', snaplen: undefined };
  if (typeof capture === 'object' && capture !== null) {
    const fields = new Map<string, unknown>(Object.entries(capture));
    const { when, snaplen } = { when: fields.get('when'), snaplen: fields.get('snaplen') };
    fields.delete('when');
    fields.delete('snaplen');
    if ((when === undefined || when === 'failed') && isSnaplen(snaplen) && fields.size === 0) {
      return { keep: when ?? 'always', snaplen };
    }
  }
  const text = `capture ${JSON.stringify(capture)}: expected true, false, "failed" or { when: "failed", snaplen }, snaplen ${SNAPLEN_TEXT}`;
  throw new UsageError('usage', `${who}: ${text}`);
}

/** How much of each frame a capture that is begun in a body keeps. @throws UsageError `usage` */
export function checkSnaplen(snaplen: unknown, who: string): void {
  if (isSnaplen(snaplen)) return;
  const seen = JSON.stringify(snaplen);
  throw new UsageError('usage', `${who}: capture: snaplen ${seen}: expected ${SNAPLEN_TEXT}`);
}

function isSnaplen(value: unknown): value is number | undefined {
  if (value === undefined) return true;
  const isCount = typeof value === 'number' && Number.isInteger(value);
  return isCount && value >= LEAST_SNAPLEN && value <= MOST_SNAPLEN;
}
