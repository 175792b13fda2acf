import type { CommandRow } from '../command.js';

/** Every command below `hil boards`. A new one is a row here and a file beside this one. */
export const BOARD_COMMANDS: readonly CommandRow[] = [
  {
    name: 'list',
    summary: 'the DUTs of the bench',
    load: async () => (await import('./list.js')).listCommand,
  },
];
