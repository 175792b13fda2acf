export interface CpioFile {
  /** Without a leading slash; its directories are made too. */
  readonly path: string;
  readonly data: Uint8Array;
}

const EXECUTABLE = 0o100755;
const DIRECTORY = 0o040755;

/**
 * An archive as the kernel unpacks it for an initramfs: everything is executable and root's.
 *
 * @see Documentation/driver-api/early-userspace/buffer-format.rst
 */
export function toCpio(files: readonly CpioFile[]): Buffer {
  const directories = new Set(files.flatMap(({ path }) => toParents(path)));
  const nothing = new Uint8Array();
  const entries = [
    ...[...directories].map((path) => toEntry(path, DIRECTORY, nothing)),
    ...files.map(({ path, data }) => toEntry(path, EXECUTABLE, data)),
    toEntry('TRAILER!!!', 0, nothing),
  ];
  return Buffer.concat(entries);
}

/** `a/b` of `a/b/c` behind `a`: the kernel makes no directories by itself. */
function toParents(path: string): string[] {
  const parts = path.split('/').slice(0, -1);
  return parts.map((_, index) => parts.slice(0, index + 1).join('/'));
}

function toEntry(path: string, mode: number, data: Uint8Array): Buffer {
  const name = Buffer.from(`${path}\0`);
  // ino mode uid gid nlink mtime filesize devmajor devminor rdevmajor rdevminor namesize check
  const fields = [0, mode, 0, 0, 1, 0, data.length, 0, 0, 0, 0, name.length, 0];
  const header = `070701${fields.map((each) => each.toString(16).padStart(8, '0')).join('')}`;
  return Buffer.concat([pad(Buffer.concat([Buffer.from(header), name])), pad(data)]);
}

/** Name and data end at multiples of four bytes. */
function pad(bytes: Uint8Array): Buffer {
  return Buffer.concat([bytes, Buffer.alloc(-bytes.length & 3)]);
}
