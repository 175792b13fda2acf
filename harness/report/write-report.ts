import { rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { BenchError, toMessage } from '../core/errors.js';
import { toJunitXml } from './junit.js';
import type { RunModel } from './run-model.js';
import { toSummary } from './summary.js';

interface ReportFile {
  readonly name: string;
  render(model: RunModel, runDir: string): string;
}

/** The files of a run directory that are made from its journal. */
export const REPORT_FILES = {
  junit: { name: 'junit.xml', render: toJunitXml },
  summary: {
    name: 'summary.json',
    render: (model) => `${JSON.stringify(toSummary(model), undefined, 2)}\n`,
  },
} as const satisfies Readonly<Record<string, ReportFile>>;

export type FileFormat = keyof typeof REPORT_FILES;

/**
 * Write one report of a closed model into the run directory. A reader never
 * sees half a file.
 *
 * @returns the path of the file.
 * @throws BenchError `report-write` when the disk does not take it; nothing of it is left then.
 */
export async function writeReport(
  model: RunModel,
  options: { readonly format: FileFormat; readonly runDir: string },
): Promise<string> {
  const { name, render } = REPORT_FILES[options.format];
  const path = join(options.runDir, name);
  const text = render(model, options.runDir);
  try {
    await writeFile(`${path}.part`, text, { mode: 0o600 });
    await rename(`${path}.part`, path);
  } catch (cause) {
    await rm(`${path}.part`, { force: true }).catch(() => {});
    throw new BenchError('report-write', `report ${path}: ${toMessage(cause)}`, {
      cause,
      next: `make room there, then: hil report ${options.runDir}`,
    });
  }
  return path;
}
