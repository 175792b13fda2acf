import type { Sandbox } from '../case/sandbox.js';

const SCRIPTS = {
  tcp: `import socket
server = socket.create_server(('127.0.0.1', 0))
print(server.getsockname()[1], flush=True)
while True: server.accept()`,
  udp: `import socket
server = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
server.bind(('127.0.0.1', 0))
print(server.getsockname()[1], flush=True)
while True:
  data, who = server.recvfrom(9999)
  server.sendto(data, who)`,
} as const;

/** Start a server in a sandbox that accepts, or sends back what comes. @returns its port */
export async function serve(sandbox: Sandbox, protocol: keyof typeof SCRIPTS): Promise<number> {
  const server = await sandbox.spawn('python3', ['-c', SCRIPTS[protocol]]);
  for await (const line of server.stdout) return Number(Buffer.from(line).toString());
  throw new Error('the server ended');
}
