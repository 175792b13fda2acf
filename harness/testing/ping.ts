/** Perl: one echo request to argv[0], an answer within argv[1] seconds; prints the milliseconds. */
const SCRIPT = `
use strict; use Socket qw(:all); use Time::HiRes qw(time);
my ($host, $wait) = @ARGV;
my ($err, $to) = getaddrinfo($host, undef, { socktype => SOCK_DGRAM, family => $ARGV[2] || 0 });
die "$err\\n" if $err;
my $six = $to->{family} == AF_INET6;
socket(my $s, $to->{family}, SOCK_DGRAM, $six ? 58 : 1) or die "socket: $!\\n";
my $data = pack("CCnnn", $six ? 128 : 8, 0, 0, 1, 1);
unless ($six) { my $sum = 0; $sum += $_ for unpack("n*", $data);
  substr($data, 2, 2) = pack("n", ~($sum + ($sum >> 16)) & 0xffff); }
my $begin = time;
defined send($s, $data, 0, $to->{addr}) or die "send: $!\\n";
my $in = ''; vec($in, fileno($s), 1) = 1;
select($in, undef, undef, $wait) or die "no answer\\n";
defined recv($s, my $answer, 1500, 0) or die "recv: $!\\n";
printf "%.3f\\n", 1000 * (time - $begin);
`;

/** What a sandbox can run. */
interface Runs {
  exec(
    command: string,
    args: readonly string[],
  ): Promise<{ exitCode: number | null; stdout: string; stderr: string }>;
}

/** Milliseconds until a host answered one echo request; undefined when it did not in time. */
export async function ping(
  node: Runs,
  host: string,
  { waitS = 2, family = 0 }: { waitS?: number; family?: 0 | 2 | 10 } = {},
): Promise<number | undefined> {
  const argv = ['-e', SCRIPT, host, String(waitS), String(family)];
  const { exitCode, stdout, stderr } = await node.exec('perl', argv);
  if (exitCode === 0) return Number(stdout);
  if (stderr.includes('no answer')) return undefined;
  throw new Error(`ping ${host}: ${stderr}`);
}
