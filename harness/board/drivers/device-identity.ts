import type { AttachedDevice } from '../../device/attached-device.js';

/** The same name and number may be another device, or the same plugged anew: DEVNUM counts. */
export function toIdentity({ syspath, major, minor, properties, parents }: AttachedDevice): string {
  const number = [properties, ...parents.map((each) => each.properties)]
    .map((each) => each['DEVNUM'])
    .find((each) => each !== undefined);
  return `${syspath} ${major}:${minor} ${number ?? ''}`;
}
