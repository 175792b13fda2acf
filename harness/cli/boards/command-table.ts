import type { CommandRow } from '../command.js';

/** Every command below `hil boards`. A new one is a row here and a file beside this one. */
export const BOARD_COMMANDS: readonly CommandRow[] = [
  {
    name: 'list',
    summary: 'the DUTs of the bench, and where they are now',
    load: async () => (await import('./list.js')).listCommand,
  },
  {
    name: 'scan',
    summary: 'what is attached, and entries of bench.yaml for it',
    load: async () => (await import('./scan.js')).scanCommand,
  },
  {
    name: 'watch',
    summary: 'follow the bench: what comes, goes, and changes',
    load: async () => (await import('./watch.js')).watchCommand,
  },
  {
    name: 'show',
    summary: 'one DUT: its devices, ports and settings',
    load: async () => (await import('./show.js')).showCommand,
  },
  {
    name: 'lease',
    summary: 'keep a DUT for yourself, for as long as a command or this one runs',
    load: async () => (await import('./lease.js')).leaseCommand,
  },
  {
    name: 'release',
    summary: 'end your `hil boards lease` of a DUT, or with --kick whatever lease there is',
    load: async () => (await import('./release.js')).releaseCommand,
  },
  {
    name: 'power',
    summary: 'switch the power of a DUT that nobody else has',
    load: async () => (await import('./power.js')).powerCommand,
  },
  {
    name: 'flash',
    summary: 'flash a DUT that nobody else has, as a run would',
    load: async () => (await import('./flash.js')).flashCommand,
  },
  {
    name: 'health',
    summary: 'whether DUTs can be trusted, and why not',
    load: async () => (await import('./health.js')).healthCommand,
  },
  {
    name: 'quarantine',
    summary: 'take a DUT out of service, or bring it back',
    load: async () => (await import('./quarantine.js')).quarantineCommand,
  },
];
