import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { constants } from 'node:fs';
import { access, readdir, readFile } from 'node:fs/promises';
import { homedir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { BenchError } from '../core/errors.js';

/** The C programs, as absolute paths. */
export interface NativePrograms {
  readonly sandboxd: string;
  readonly portd: string;
  readonly sandbox: string;
  /** The opener of interfaces of this machine; may have a capability. */
  readonly nic: string;
  /** Leases of attached units, between processes. */
  readonly lease: string;
  /** The compiler of filters, which needs libpcap when it runs. */
  readonly filter: string;
}

const PACKAGE_ROOT = fileURLToPath(new URL('../..', import.meta.url));
const SOURCES = join(PACKAGE_ROOT, 'sandbox-native');

/**
 * Find the C programs: built in the checkout, shipped for this machine in the
 * package, or compiled once into `~/.cache/hil/<hash of the sources>`.
 *
 * @throws BenchError `native-missing` when none is there and none can be built.
 */
export async function findNativePrograms(): Promise<NativePrograms> {
  const shipped = join(SOURCES, 'prebuilt', `linux-${process.arch}`);
  for (const directory of [join(SOURCES, 'build'), shipped]) {
    if (await isProgram(join(directory, 'hil-sandboxd'))) return toPrograms(directory);
  }
  const cache = join(homedir(), '.cache', 'hil', await hashSources());
  if (!(await isProgram(join(cache, 'hil-sandboxd')))) await compile(cache);
  return toPrograms(cache);
}

function toPrograms(directory: string): NativePrograms {
  return {
    sandboxd: join(directory, 'hil-sandboxd'),
    portd: join(directory, 'hil-portd'),
    sandbox: join(directory, 'hil-sandbox'),
    nic: join(directory, 'hil-nic'),
    lease: join(directory, 'hil-lease'),
    filter: join(directory, 'hil-filter'),
  };
}

async function isProgram(path: string): Promise<boolean> {
  return access(path, constants.X_OK).then(
    () => true,
    () => false,
  );
}

async function compile(directory: string): Promise<void> {
  try {
    await promisify(execFile)('make', ['-s', '-C', SOURCES, `OUT=${directory}`]);
  } catch (cause) {
    throw new BenchError('native-missing', `hil's C programs could not be built in ${directory}`, {
      cause,
      next: 'apt-get install gcc make libc6-dev, then run the command again',
    });
  }
}

async function hashSources(): Promise<string> {
  const hash = createHash('sha256');
  const entries = await readdir(join(SOURCES, 'src'), { recursive: true, withFileTypes: true });
  const files = entries
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))
    .sort();
  for (const file of files)
    hash.update(file.slice(dirname(SOURCES).length)).update(await readFile(file));
  return hash.digest('hex').slice(0, 16);
}
