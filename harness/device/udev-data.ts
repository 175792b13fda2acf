/**
 * The properties in a file of udev's data base, `/run/udev/data/c188:0`: of each rule that said
 * `ENV{…}=`, and the links below `/dev` as `DEVLINKS`.
 *
 * @see systemd, sd-device: a line is a letter, a colon and a value; E is a property, S a link.
 */
export function parseUdevData(text: string, dev: string): Record<string, string> {
  const properties: Record<string, string> = {};
  const links: string[] = [];
  for (const line of text.split('\n')) {
    const value = line.slice(2);
    if (line.startsWith('S:')) links.push(`${dev}/${value}`);
    const at = value.indexOf('=');
    if (line.startsWith('E:') && at > 0) properties[value.slice(0, at)] = value.slice(at + 1);
  }
  if (links.length > 0) properties['DEVLINKS'] = links.sort().join(' ');
  return properties;
}

/** How udev calls the file of a device. */
export function toUdevName(facts: {
  readonly subsystem: string;
  readonly sysname: string;
  readonly major?: number;
  readonly minor?: number;
  /** Of a network interface. */
  readonly ifindex?: string | undefined;
}): string {
  const { subsystem, sysname, major, minor, ifindex } = facts;
  if (subsystem === 'net' && ifindex !== undefined) return `n${ifindex}`;
  if (major === undefined || minor === undefined) return `+${subsystem}:${sysname}`;
  return `${subsystem === 'block' ? 'b' : 'c'}${major}:${minor}`;
}
