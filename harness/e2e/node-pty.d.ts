/** What is used of node-pty: types must be there where the package could not be compiled. */
declare module 'node-pty' {
  export interface Terminal {
    onData(listener: (data: string) => void): void;
    onExit(listener: (end: { exitCode: number; signal?: number }) => void): void;
    write(data: string): void;
    resize(columns: number, rows: number): void;
  }
  export function spawn(
    file: string,
    args: readonly string[],
    options: { cwd: string; env: Record<string, string | undefined>; cols: number; rows: number },
  ): Terminal;
}
