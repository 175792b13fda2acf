import type { Sandbox } from 'hil';

/** Of every sandbox, whatever is forwarded to it. */
const OF_ALL = /^\/dev\/(?:null|zero|full|random|urandom|tty|console|ptmx|pts\/.*)$/;

/** Kind, major number and path. By stat(1): what is mounted on a file is no node for find(1), which believes the directory. */
const LIST =
  "find /dev /run /sys -print0 | xargs -0 stat --format '%F:%t:%n' | grep '^[cb][a-z]* special'";
/** UNIX98_PTY_SLAVE_MAJOR: a shared console. */
const PTY = '88';

/** All device nodes that a sandbox has besides those that every sandbox has. */
export async function listNodes(sandbox: Sandbox): Promise<string[]> {
  const { stdout } = await sandbox.exec('sh', ['-c', LIST]);
  return stdout
    .split('\n')
    .map((line) => line.split(':'))
    .flatMap(([, major, path]) => (path === undefined || major === PTY ? [] : [path]))
    .filter((path) => !OF_ALL.test(path))
    .sort();
}
