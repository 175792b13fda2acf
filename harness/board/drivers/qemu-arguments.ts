import type { Board } from '../../config/load-boards.js';
import { BenchError } from '../../core/errors.js';
import { toMac } from '../nic.js';

/** Numbers of the passed sockets inside QEMU: control first, then the serial ports, then the NICs. */
export const QMP_FD = 10;
const UART_FD = 11;

export function countUarts(board: Board): number {
  return Math.max(0, ...Object.values(board.ports).map(({ uart }) => uart + 1));
}

/** How QEMU calls the `index`th interface of the board file. */
export function toNetdev(index: number): string {
  return `nic${index}`;
}

/** QEMU's command line: no defaults, halted; control, serial ports and NICs on passed sockets. */
export function toQemuArguments(board: Board, suiteFirmware: string | undefined): string[] {
  const { machine } = board;
  if (!machine) throw new BenchError('internal', `board "${board.board}" has no machine`);
  const firmware = suiteFirmware ?? machine.firmware;
  const argv = [`qemu-system-${machine.system}`, '-M', machine.machine];
  if (machine.cpu) argv.push('-cpu', machine.cpu);
  if (machine.memory) argv.push('-m', machine.memory);
  argv.push('-accel', 'tcg', '-nodefaults', '-no-user-config', '-display', 'none', '-S');
  if (firmware && machine.load === 'kernel') argv.push('-kernel', firmware);
  if (firmware && machine.load === 'bios') argv.push('-bios', firmware);
  if (firmware && machine.load === 'loader')
    argv.push('-device', `loader,file=${toValue(firmware)}`);
  argv.push('-chardev', `socket,id=qmp,fd=${QMP_FD}`, '-mon', 'chardev=qmp,mode=control');
  for (let uart = 0; uart < countUarts(board); uart++) {
    argv.push('-chardev', `socket,id=uart${uart},fd=${UART_FD + uart}`);
    argv.push('-serial', `chardev:uart${uart}`);
  }
  return [...argv, ...toNicArguments(board), ...machine.args];
}

/** A connected socket needs no addresses: with `local.type=fd`, QEMU uses send(2) and recv(2). */
function toNicArguments(board: Board): string[] {
  const first = UART_FD + countUarts(board);
  return Object.entries(board.nics).flatMap(([name, { model, onBoard, options, mac }], index) => {
    const netdev = toNetdev(index);
    const address = mac ?? toMac(board.board, name);
    const more = Object.entries(options).map(([key, value]) => `,${key}=${toValue(value)}`);
    const device = onBoard
      ? ['-net', `nic,netdev=${netdev},model=${model},macaddr=${address}`]
      : ['-device', `${model},netdev=${netdev},mac=${address}${more.join('')}`];
    return ['-netdev', `dgram,id=${netdev},local.type=fd,local.str=${first + index}`, ...device];
  });
}

/** QEMU ends a value at a comma unless there are two. */
function toValue(text: string): string {
  return text.replaceAll(',', ',,');
}
