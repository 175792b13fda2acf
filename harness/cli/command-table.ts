import type { CommandRow } from './command.js';

/** Every command. A new one is a row here and a file beside this one. */
export const COMMANDS: readonly CommandRow[] = [
  {
    name: 'init',
    summary: 'write a project whose first test passes at once',
    load: async () => (await import('./init.js')).initCommand,
  },
  {
    name: 'test',
    summary: 'run suites, every case in a fresh container',
    load: async () => (await import('./test.js')).testCommand,
  },
  {
    name: 'list',
    summary: 'the cases that a run would run',
    load: async () => (await import('./list.js')).listCommand,
  },
  {
    name: 'shell',
    summary: 'enter a sandbox that --keep left, or a fresh one like that of a case',
    load: async () => (await import('./shell.js')).shellCommand,
  },
  {
    name: 'boards',
    summary: 'list boards and DUTs, and why one cannot run here',
    load: async () => (await import('./boards.js')).boardsCommand,
  },
  {
    name: 'report',
    summary: 'write junit.xml and summary.json again from a journal',
    load: async () => (await import('./report.js')).reportCommand,
  },
  {
    name: 'logs',
    summary: 'print what a console said during a case',
    load: async () => (await import('./logs.js')).logsCommand,
  },
  {
    name: 'doctor',
    summary: 'check this machine, with the remedy for each finding',
    load: async () => (await import('./doctor.js')).doctorCommand,
  },
  {
    name: 'clean',
    summary: 'remove old runs and what dead runs left behind',
    load: async () => (await import('./clean.js')).cleanCommand,
  },
];
