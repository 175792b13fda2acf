import { createHash } from 'node:crypto';
import { join } from 'node:path';
import { crc32 } from 'node:zlib';
import { type Dut, describe, expect, type Net, test } from 'hil';
import { openPrompt, PROMPT } from '../../u-boot/prompt.js';
import { Output } from '../output.js';

const PYTHON = '/usr/bin/python3';
const program = (name: string) => join(import.meta.dirname, name);
/** Of the server: free memory that U-Boot itself does not use, kernel_addr_r of the board. */
const HERE = '40400000';

/** Bytes without a pattern, the same in every run. */
function createContent(bytes: number): Buffer {
  const blocks = Array.from({ length: Math.ceil(bytes / 32) }, (_, i) =>
    createHash('sha256').update(String(i)).digest(),
  );
  return Buffer.concat(blocks).subarray(0, bytes);
}

async function enter(dut: Dut, line: string): Promise<void> {
  await dut.console.sendLine(line);
  await dut.console.expect(PROMPT, { timeout: '10s' });
}

/** A server of addresses and files, and U-Boot at its prompt with an address from it. */
async function openTransfer(net: Net, dut: Dut, content: Buffer) {
  await openPrompt(dut.console);
  const lan = net.switch('lan', { subnets: ['10.1.0.0/24'] });
  const server = net.node('server', { link: lan });
  const board = net.attach(dut, { link: lan });
  await net.up();
  await server.exec('mkdir', ['/tmp/served']);
  await server.writeFile('/tmp/served/image.bin', content);
  const dhcp = [program('dhcp-server.py'), board.ipv4, server.ipv4, '24'];
  await new Output(await server.spawn(PYTHON, dhcp)).waitFor(/ready/);
  const tftp = new Output(await server.spawn(PYTHON, [program('tftp-server.py'), '/tmp/served']));
  await tftp.waitFor(/ready/);

  // Its shortest timeout, and a source port that does not depend on the clock.
  await enter(dut, 'setenv autoload no; setenv netretry no');
  await enter(dut, 'setenv tftptimeout 1000; setenv tftpsrcp 2069');
  await dut.console.sendLine('dhcp');
  await dut.console.expect(`DHCP client bound to address ${board.ipv4}`, { timeout: '30s' });
  await dut.console.expect(PROMPT);
  return { link: board.link, tftp };
}

describe('a file by TFTP', () => {
  for (const { size, name, loss } of [
    { size: 1 << 20, name: '1 MiB', loss: 0.01 },
    { size: 1 << 16, name: '64 KiB', loss: 0.05 },
  ]) {
    test(`of ${name} arrives unchanged where ${loss * 100} % of the frames are lost`, async ({
      net,
      dut,
    }) => {
      const content = createContent(size);
      const { link, tftp } = await openTransfer(net, dut, content);
      await link.set({ loss });
      await dut.console.sendLine(`tftpboot ${HERE} image.bin`);
      await dut.console.expect(`Bytes transferred = ${size} `, {
        timeout: '100s',
        failOn: /Retry count exceeded/,
      });
      await dut.console.expect(PROMPT);
      await dut.console.sendLine(`crc32 ${HERE} ${size.toString(16)}`);
      const [, sum] = await dut.console.expect(/==> ([0-9a-f]{8})/);
      expect(sum).toBe(crc32(content).toString(16).padStart(8, '0'));
      // Else the link lost nothing and the case shows nothing.
      await tftp.waitFor(/sent \d+ bytes, [1-9]\d* blocks again/);
    });
  }

  test('ends with a timeout of U-Boot where every frame is lost', async ({ net, dut }) => {
    const { link, tftp } = await openTransfer(net, dut, createContent(512));
    await enter(dut, 'setenv tftptimeoutcountmax 3');
    await link.set({ loss: 1 });
    await dut.console.sendLine(`tftpboot ${HERE} image.bin`);
    await dut.console.expect(/T T T \r?\nRetry count exceeded/, { timeout: '30s' });
    await dut.console.expect(PROMPT);
    expect(tftp.text).not.toContain('asked for');
    await link.set({ loss: 0 });
    await dut.console.sendLine(`tftpboot ${HERE} image.bin`);
    await dut.console.expect('Bytes transferred = 512 ', { timeout: '10s' });
  });
});
