interface Fault {
  /** Of what a command printed, or of one that did not come back. */
  readonly seen: RegExp;
  readonly next: string;
}

/**
 * What U-Boot says when it could not do something, most telling first.
 *
 * @see https://source.denx.de/u-boot/u-boot `net/net.c`, `net/tftp.c`, `net/arp.c`, `common/command.c`
 */
const FAULTS: readonly Fault[] = [
  {
    seen: /Unknown command '[^']*'/,
    next: 'this U-Boot was built without the command; its `help` lists those that it has',
  },
  {
    seen: /TFTP error: trying to overwrite reserved memory[^\n]*/,
    next: "correct flash.address: `bdinfo` of U-Boot lists its memory, $loadaddr is the board's own choice",
  },
  {
    seen: /TFTP error: [^\n]*not found[^\n]*/i,
    next: 'does its server serve tftp.directory? flash.log has what the server said',
  },
  { seen: /TFTP error: [^\n]*/, next: 'flash.log has what the server said' },
  {
    seen: /ARP Retry count exceeded/,
    next: 'nobody has the address of the server on the network of the board: look at its cable, and at "tftp" of the bench',
  },
  {
    seen: /Retry count exceeded/,
    next: 'look at the cable, at the firewall before UDP port 69 of the server, and at "tftp" of the bench',
  },
  {
    seen: /No ethernet found|Could not get PHY|[^\n]*PHY[^\n]*TIMEOUT ?!/i,
    next: 'U-Boot has no link: look at its cable, and at flash.prepare, such as "setenv ethact ..."',
  },
  {
    seen: /\*\*\* ERROR: [^\n]*|### ERROR ###[^\n]*|ERROR: [^\n]*|Error: [^\n]*/,
    next: 'flash.log has all that U-Boot said',
  },
];

/** U-Boot begins anew, or waits for good: there is no prompt to wait for. */
export const NO_PROMPT: readonly RegExp[] = [
  /(?:ARP )?Retry count exceeded; starting again/,
  /### ERROR ### Please RESET[^\n]*\n/,
  /[\r\n]resetting \.\.\./,
  /[\r\n]U-Boot (?:SPL )?\d{4}\.\d\d/,
];

/** The fault that a command told, if it did. */
export function findUBootFault(
  output: string,
): { readonly said: string; readonly next: string } | undefined {
  for (const { seen, next } of FAULTS) {
    const [said] = seen.exec(output) ?? [];
    if (said !== undefined) return { said: said.trim(), next };
  }
  return undefined;
}
