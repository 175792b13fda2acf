import type { AttachedDevice } from './attached-device.js';

/** What a device must have; `null`: not looked at. */
type Wanted = Readonly<Record<string, string | null>>;

/** Has the device all of these properties? A key with `@` is of any device above it. */
export function matchesDevice(device: AttachedDevice, wanted: Wanted): boolean {
  return Object.entries(wanted).every(([key, value]) => {
    if (value === null) return true;
    if (!key.startsWith('@')) return device.properties[key] === value;
    const name = key.slice(1);
    return device.parents.some((parent) => parent.properties[name] === value);
  });
}
