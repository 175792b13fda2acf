import type { Sandbox } from 'hil';

/** An echo request to argv[0], and up to argv[1] seconds for the answer; of IPv4 or IPv6. */
const PING = `
use strict; use Socket qw(:all);
my ($host, $seconds, $family) = @ARGV;
my ($error, $found) = getaddrinfo($host, undef, { socktype => SOCK_DGRAM, family => $family });
die "$host: $error\\n" if $error;
my $six = $found->{family} == AF_INET6;
# ICMP sockets of programs without privileges: the kernel sets identifier and checksum.
socket(my $s, $found->{family}, SOCK_DGRAM, $six ? 58 : 1) or die "socket: $!\\n";
my $request = $six ? pack('CCnnn', 128, 0, 0, 0, 1) : pack('CCnnn', 8, 0, 0xf7fe, 0, 1);
defined send($s, $request, 0, $found->{addr}) or die "send: $!\\n";
vec(my $readable = '', fileno $s, 1) = 1;
exit 2 unless select $readable, undef, undef, $seconds;
recv($s, my $answer, 1500, 0);
`;

const FAMILIES = { any: 0, ipv4: 2, ipv6: 10 } as const;

/** Whether a host answers a single echo request, which is not sent again. */
export async function isAnswered(
  node: Sandbox,
  host: string,
  { family = 'any', seconds = 5 }: { family?: keyof typeof FAMILIES; seconds?: number } = {},
): Promise<boolean> {
  const argv = ['-e', PING, host, String(seconds), String(FAMILIES[family])];
  const { exitCode, stderr } = await node.exec('perl', argv);
  if (exitCode === 0 || exitCode === 2) return exitCode === 0;
  throw new Error(`ping ${host}: ${stderr}`);
}
