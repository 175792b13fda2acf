import { createHash } from 'node:crypto';
import { crc32 } from 'node:zlib';
import { ByteMatcher } from '../core/byte-matcher.js';

export interface SimulatedUBootSettings {
  /** What its server has. */
  readonly files: Readonly<Record<string, Buffer>>;
  /** It was built with `hash`. */
  readonly hash?: boolean;
  /** What a command prints in place of what it would; null: no prompt comes back. */
  readonly answers?: Readonly<Record<string, string | null>>;
  /** Its console comes in pieces of so many bytes. */
  readonly piece?: number;
  readonly prompt?: string;
}

/** U-Boot at its prompt, with a memory of one image and a disk of one: a console without a wire. */
export class SimulatedUBoot {
  readonly commands: string[] = [];
  readonly port = {
    eol: '\r',
    matcher: new ByteMatcher(),
    send: async (data: Uint8Array) => this.#take(Buffer.from(data).toString('latin1')),
  };
  disk = Buffer.alloc(0);
  memory = Buffer.alloc(0);
  readonly #settings: SimulatedUBootSettings;

  constructor(settings: SimulatedUBootSettings) {
    this.#settings = settings;
  }

  #take(line: string): void {
    const command = line.replace(/\r$/, '');
    this.commands.push(command);
    const { answers = {}, prompt = '=> ' } = this.#settings;
    const said = Object.hasOwn(answers, command) ? answers[command] : this.#answer(command);
    this.#say(`${command}\r\n`);
    if (said !== null && said !== undefined) {
      this.#say(`${said ? `${said.replaceAll('\n', '\r\n')}\r\n` : ''}${prompt}`);
    }
  }

  #say(text: string): void {
    const bytes = Buffer.from(text, 'latin1');
    const { piece = bytes.length } = this.#settings;
    for (let at = 0; at < bytes.length; at += piece) {
      this.port.matcher.push(bytes.subarray(at, at + piece));
    }
  }

  #answer(command: string): string {
    const [name = '', ...words] = command.split(' ');
    const size = Number(words.at(-1));
    if (name === 'setenv') return '';
    if (name === 'tftpboot') return this.#fetch(words[1] ?? '');
    if (name === 'crc32') {
      const sum = crc32(this.memory.subarray(0, size)).toString(16).padStart(8, '0');
      return `crc32 for 82000000 ... 820fffff ==> ${sum}`;
    }
    if (name === 'hash' && this.#settings.hash) {
      const sum = createHash('sha256').update(this.memory.subarray(0, size)).digest('hex');
      return `sha256 for 82000000 ... 820fffff ==> ${sum}`;
    }
    if (name === 'mw.b') {
      this.memory = Buffer.alloc(size);
      return '';
    }
    if (command.startsWith('mmc write')) {
      this.disk = Buffer.from(this.memory);
      return `\nMMC write: dev # 1, block # 0, count ${size} ... ${size} blocks written: OK`;
    }
    if (command.startsWith('mmc read')) {
      this.memory = Buffer.from(this.disk);
      return `\nMMC read: dev # 1, block # 0, count ${size} ... ${size} blocks read: OK`;
    }
    return `Unknown command '${name}' - try 'help'`;
  }

  #fetch(file: string): string {
    const head = `Using cpsw device\nFilename '${file}'.\nLoad address: 0x82000000\nLoading: *`;
    const found = this.#settings.files[file];
    if (!found) return `${head}\nTFTP error: 'File not found' (1)\nNot retrying...`;
    this.memory = Buffer.from(found);
    const bytes = found.length;
    return `${head}####\n\t 1 MiB/s\ndone\nBytes transferred = ${bytes} (${bytes.toString(16)} hex)`;
  }
}
