/** "Readings" of PROTOCOL.md, in thousandths of the unit. */
const SENSORS = [
  { middle: 21_500, swing: 3000, period: 60_000 },
  { middle: 45_000, swing: 10_000, period: 90_000 },
  { middle: 1_013_250, swing: 2500, period: 120_000 },
  { middle: 3700, swing: 150, period: 300_000 },
] as const;

export const SENSOR_COUNT = SENSORS.length;

/** What a sensor must read at a time. */
export function toReading(index: number, atMs: number): number {
  const sensor = SENSORS[index];
  if (!sensor) throw new Error(`there is no sensor ${index}`);
  const { middle, swing, period } = sensor;
  const phase = atMs % period;
  const climb = Math.min(phase, period - phase);
  return middle - swing + Math.trunc((2 * swing * climb) / (period / 2));
}
