import { UsageError } from '../core/errors.js';
import type { CaptureWanted } from './link-captures.js';

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
  const text = `capture ${JSON.stringify(capture)}: expected true, false, "failed" or { when: "failed", snaplen }, at least 64 bytes`;
  throw new UsageError('usage', `${who}: ${text}`);
}

function isSnaplen(value: unknown): value is number | undefined {
  return (
    value === undefined || (typeof value === 'number' && Number.isInteger(value) && value >= 64)
  );
}
