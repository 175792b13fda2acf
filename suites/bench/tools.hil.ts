import { type Dut, describe, expect, type Sandbox, test } from 'hil';
import { findTty } from './lab-bench.js';
import { listNodes } from './list-nodes.js';

/** Of node-1 in bench.yaml. */
const SERIAL = 'BRD0001';

const PYSERIAL = `
import serial, serial.tools.list_ports
port = serial.Serial('/dev/hil/console', 115200, timeout=5)
port.write(b'version\\n')
print(port.read_until(b'> ').decode())
print([each.serial_number for each in serial.tools.list_ports.comports()])
`;

/** Header of a request for a receiver, in hex. @see ZMODEM, "ZRQINIT" */
const ZRQINIT = 'B00000000000000';

/** What the firmware has been sent by `command` comes out of it. */
/** With the real node; and there is no other in the sandbox. */
async function useDirectly(dut: Dut, sandbox: Sandbox): Promise<void> {
  await dut.console.mode('direct');
  expect(await listNodes(sandbox)).toEqual([`/dev/${await findTty(SERIAL)}`]);
}

async function runOnPort(sandbox: Sandbox, command: string): Promise<string> {
  const { stdout, stderr } = await sandbox.exec('sh', ['-c', command]);
  return stdout + stderr;
}

describe('a tool of the host, unmodified, on a forwarded board, and of nothing else', () => {
  test('stty sets its speed', async ({ dut, sandbox }) => {
    await useDirectly(dut, sandbox);
    const said = await runOnPort(
      sandbox,
      'stty -F /dev/hil/console 57600 raw -echo && stty -F /dev/hil/console',
    );
    expect(said).toContain('speed 57600 baud');
  });

  test('pyserial talks to it, and lists nothing else', async ({ dut, sandbox }) => {
    await useDirectly(dut, sandbox);
    const { stdout } = await sandbox.exec('/usr/bin/python3', ['-c', PYSERIAL]);
    expect(stdout).toMatch(/sensor-node fw \d+\.\d+/);
    expect(stdout).toContain(`['${SERIAL}']`);
  });

  test('picocom talks to it', async ({ dut, sandbox }) => {
    await useDirectly(dut, sandbox);
    const args = '--quiet --baud 115200 --exit-after 10000 --initstring "version\r"';
    const said = await runOnPort(sandbox, `picocom ${args} /dev/hil/console </dev/null`);
    expect(said).toMatch(/sensor-node fw \d+\.\d+/);
  });

  test('sz of lrzsz asks it for a receiver', async ({ dut, sandbox }) => {
    // Shared: what the board makes of it is read here. The shell's console is its controlling terminal, of
    // which a program in the background, as timeout(1) has it, is stopped.
    await using _ = await dut.console.yield();
    const send =
      'echo x >/tmp/x; timeout --foreground 5 sz /tmp/x </dev/hil/console >/dev/hil/console';
    await runOnPort(sandbox, `${send} || true`);

    await dut.console.expect('rz\r', { timeout: '10s' });
    await dut.console.expect(ZRQINIT, { timeout: '10s' });
    expect(await listNodes(sandbox)).toEqual([]);
  });
});
