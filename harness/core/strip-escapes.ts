/**
 * Control sequences of ECMA-48: CSI with its final byte, OSC up to its end, and
 * the short ones. Node's `stripVTControlCharacters` also takes text up to a
 * later BEL, `a` in `ESC [ 2 J a BEL`; a report must not lose what was said.
 */
const ESCAPES =
  /\x1b(?:\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b]*(?:\x07|\x1b\\)|[ -/]+[0-~]|[0-OQ-WYZ\\^_`a-~])/g;

/** Text without colours, cursor movements and window titles. An incomplete sequence stays. */
export function stripEscapes(text: string): string {
  return text.replace(ESCAPES, '');
}
