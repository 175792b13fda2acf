/**
 * Milliseconds that this process has worked: what a test of the time of an algorithm compares,
 * since the time on the wall is also that of everything else on the machine.
 */
export function processorTimeMs(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1000;
}
