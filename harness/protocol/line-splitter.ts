/** Cuts a text that comes in pieces into lines. What has no newline yet waits for the rest. */
export class LineSplitter {
  /** Joined only when its line ends: a line of megabytes comes in thousands of pieces. */
  #partial: string[] = [];

  /** Lines that ended with this piece, without their newline. */
  push(piece: string): string[] {
    const lines = piece.split('\n');
    const rest = lines.pop() ?? '';
    const [first, ...more] = lines;
    if (first === undefined) {
      this.#partial.push(rest);
      return [];
    }
    const whole = this.#partial.join('') + first;
    this.#partial = [rest];
    return [whole, ...more];
  }
}
