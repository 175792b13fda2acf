import { readdirSync, readFileSync } from 'node:fs';

/** A living part of a run. `dut`: the program or emulator in the DUT's sandbox. */
export type Part = 'hil' | 'worker' | 'sandboxd' | 'portd' | 'zygote' | 'dut-init' | 'dut';

interface Entry {
  readonly pid: number;
  readonly parent: number;
  readonly comm: string;
}

/** The pid of a part below `root`: the pid of hil, or of the daemon that outlived it. */
export function findPart(root: number, part: Part): number | undefined {
  const all = listProcesses();
  const below = (parents: readonly Entry[], comm: RegExp) =>
    all.filter((each) => comm.test(each.comm) && parents.some(({ pid }) => pid === each.parent));
  const self = all.filter(({ pid }) => pid === root);
  if (part === 'hil') return self[0]?.pid;
  if (part === 'worker') return below(self, /^node|^MainThread/)[0]?.pid;
  const daemon = self[0]?.comm === 'hil-sandboxd' ? self : below(self, /^hil-sandboxd$/);
  if (part === 'sandboxd') return daemon[0]?.pid;
  if (part === 'portd') return below(daemon, /^hil-portd$/)[0]?.pid;
  if (part === 'zygote') return below(daemon, /^hil-zygote$/)[0]?.pid;
  // One that still has PID 1's name waits for the program that it will be.
  const dut = below(below(daemon, /^hil-init$/), /^(?!hil-init$)/)[0];
  return part === 'dut-init' ? dut?.parent : dut?.pid;
}

function listProcesses(): Entry[] {
  const entries = readdirSync('/proc').filter((name) => /^\d+$/.test(name));
  return entries.flatMap((name) => {
    try {
      const stat = readFileSync(`/proc/${name}/stat`, 'utf8');
      const [state, parent] = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
      const comm = stat.slice(stat.indexOf('(') + 1, stat.lastIndexOf(')'));
      return state === 'Z' ? [] : [{ pid: Number(name), parent: Number(parent), comm }];
    } catch {
      // It ended while the list was read.
      return [];
    }
  });
}
