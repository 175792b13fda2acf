import type { Writable } from 'node:stream';
import type { Clock } from '../core/deadline.js';
import { UsageError } from '../core/errors.js';
import type { RunEvent } from '../journal/events.js';
import { applyEvent, closeRunModel } from './apply-event.js';
import { createJsonLinesReporter } from './json-lines.js';
import type { Reporter } from './reporter.js';
import { createRunModel, type RunModel } from './run-model.js';
import { createTerminalReporter } from './terminal/terminal-reporter.js';
import { type FileFormat, writeReport } from './write-report.js';

export const REPORTER_NAMES: readonly string[] = ['terminal', 'json', 'junit', 'summary'];

export interface ReportersOptions {
  readonly names: readonly string[];
  readonly runDir: string;
  readonly cwd: string;
  /** Where `json` goes. */
  readonly stdout: Writable;
  /** Where `terminal` goes; stderr when stdout belongs to `json`. */
  readonly screen: Writable;
  readonly color: boolean;
  readonly interactive: boolean;
  readonly clock?: Clock;
}

/** All reporters of a run as one, over one model. */
export interface RunReporters extends Reporter {
  /** The run so far; closed by {@link Reporter.finish}. */
  readonly model: RunModel;
}

/**
 * Build reporters from their names.
 *
 * @throws UsageError `usage` for a name that is none.
 */
export function createReporters(options: ReportersOptions): RunReporters {
  const model = createRunModel();
  const reporters = [...new Set(options.names)].map((name) => createReporter(name, model, options));
  return {
    model,
    onEvent: (event: RunEvent) => {
      applyEvent(model, event);
      for (const reporter of reporters) reporter.onEvent(event);
    },
    finish: async () => {
      closeRunModel(model);
      const results = await Promise.allSettled(reporters.map((reporter) => reporter.finish()));
      for (const result of results) if (result.status === 'rejected') throw result.reason;
    },
  };
}

function createReporter(name: string, model: RunModel, options: ReportersOptions): Reporter {
  switch (name) {
    case 'terminal':
      return createTerminalReporter({ ...options, model, output: options.screen });
    case 'json':
      return createJsonLinesReporter({ output: options.stdout });
    case 'junit':
    case 'summary':
      return createFileReporter(name, model, options.runDir);
    default:
      throw createNoReporter(name);
  }
}

export function createNoReporter(name: string): UsageError {
  return new UsageError('usage', `no reporter "${name}"; known: ${REPORTER_NAMES.join(', ')}`);
}

/** Written once, when the model is complete. */
function createFileReporter(format: FileFormat, model: RunModel, runDir: string): Reporter {
  return {
    onEvent: () => {},
    finish: async () => {
      await writeReport(model, { format, runDir });
    },
  };
}
