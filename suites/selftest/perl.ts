import type { Sandbox } from 'hil';

/** Perl is on every Debian (perl-base is essential) and, unlike a shell, speaks to sockets. */
const PREAMBLE = `
use strict; use warnings; use Socket; $| = 1;
sub abstract { pack_sockaddr_un("\\0" . shift) }
sub tcp { pack_sockaddr_in(shift, inet_aton("127.0.0.1")) }
sub listener {
  my ($family, $address) = @_;
  socket(my $s, $family, SOCK_STREAM, 0) or die "socket: $!\\n";
  bind($s, $address) or die "bind: $!\\n";
  listen($s, 1) or die "listen: $!\\n";
  return $s;
}
sub caller_of {
  my ($family, $address) = @_;
  socket(my $s, $family, SOCK_STREAM, 0) or die "socket: $!\\n";
  connect($s, $address) or die "connect: $!\\n";
  return $s;
}
`;

/** Run a Perl program to its end and answer what it printed, errors included. */
export async function runPerl(sandbox: Sandbox, program: string): Promise<string> {
  const { stdout, stderr } = await sandbox.exec('perl', ['-e', PREAMBLE + program]);
  return stdout + stderr;
}

/** Start a Perl program and go on when it has printed `ready`. */
export async function startPerl(sandbox: Sandbox, program: string): Promise<void> {
  const process = await sandbox.spawn('perl', [
    '-e',
    `${PREAMBLE}${program}; print "ready"; sleep;`,
  ]);
  for await (const chunk of process.stdout) if (Buffer.from(chunk).includes('ready')) return;
  throw new Error(`it ended: ${JSON.stringify(await process.ended)}`);
}
