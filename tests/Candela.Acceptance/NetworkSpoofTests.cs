namespace Candela.Acceptance;

/// <summary>A guest that sends whatever it likes: frames that are not its own to send are dropped and logged.</summary>
[Collection(NetworkCollection.Name)]
public sealed class NetworkSpoofTests(NetworkPlatform platform)
{
    // Sends frames of the kind that is asked for by a packet socket (packet(7)), with addresses from the environment.
    private const string Sender = """
        sub mac { pack("C6", map { hex } split(/:/, $_[0])) }
        sub ip4 { pack("C4", split(/\./, $_[0])) }
        sub ip6 { my ($l, $r) = split(/::/, $_[0], -1); my @l = split(/:/, $l); my @r = split(/:/, $r); pack("n8", map { hex } (@l, (0) x (8 - @l - @r), @r)) }
        sub sum { my $s = 0; $s += $_ for unpack("n*", $_[0] . (length($_[0]) % 2 ? "\0" : "")); $s = ($s & 0xffff) + ($s >> 16) while $s >> 16; ~$s & 0xffff }
        sub udp4 { my ($from, $to, @ports) = @_; my $u = pack("n4a4", @ports ? @ports : (1000, 2000), 12, 0, "spof"); my $h = pack("C2n3C2n", 0x45, 0, 32, 1, 0, 64, 17, 0) . $from . $to; substr($h, 10, 2) = pack("n", sum($h)); $h . $u }
        sub icmp6 { my ($from, $to, $body) = @_; my $n = pack("Nx3C", length($body), 58); substr($body, 2, 2) = pack("n", sum($from . $to . $n . $body)); pack("NnC2", 0x60000000, length($body), 58, 255) . $from . $to . $body }
        my ($kind, $own, $ip, $ip6, $peer, $peer4, $peer6, $gw) = @ARGV;
        my ($m, $p, $f, $other) = (mac($own), mac($peer), "\xff" x 6, mac("02:cd:de:ad:be:ef"));
        my %frames = (
            mac => $p . $other . "\x08\0" . udp4(ip4($ip), ip4($peer4)),
            ip4 => $p . $m . "\x08\0" . udp4(ip4("203.0.113.9"), ip4($peer4)),
            peer4 => $p . $m . "\x08\0" . udp4(ip4($peer4), ip4($peer4)),
            arp => $f . $m . "\x08\x06" . pack("n2C2n", 1, 0x800, 6, 4, 2) . $m . ip4($gw) . $p . ip4($peer4),
            arpmac => $f . $m . "\x08\x06" . pack("n2C2n", 1, 0x800, 6, 4, 1) . $other . ip4($ip) . "\0" x 6 . ip4($peer4),
            ip6 => $p . $m . "\x86\xdd" . icmp6(ip6("fd00:bad::1"), ip6($peer6), pack("C2nn2", 128, 0, 0, 1, 1)),
            na => $p . $m . "\x86\xdd" . icmp6(ip6($ip6), ip6($peer6), pack("C2nN", 136, 0, 0, 0x60000000) . ip6($peer6) . "\x02\x01" . $m),
            ra => $p . $m . "\x86\xdd" . icmp6(ip6($ip6), ip6($peer6), pack("C2nC2nN2", 134, 0, 0, 64, 0, 1800, 0, 0)),
            dhcp => $p . $m . "\x08\0" . udp4(ip4($ip), ip4($peer4), 67, 68),
            vlan => $p . $m . "\x81\0\0\x05\x08\0" . udp4(ip4($ip), ip4($peer4)),
            other => $p . $m . "\x88\xcc" . "x" x 50,
        );
        open(I, "/sys/class/net/eth0/ifindex"); my $index = <I> + 0;
        socket(S, 17, 3, 768) or die "socket: $!"; my $frame = $frames{$kind} or die "no such kind";
        send(S, $frame, 0, pack("SnlSCCa8", 17, 0x800, $index, 1, 0, 6, $p)) or die "send: $!" for 1..3;
        """;

    [Fact]
    public async Task Frames_with_addresses_of_others_are_dropped_and_logged()
    {
        _ = (await platform.DockerAsync("network", "create", "--subnet", "10.66.0.0/24", "--ipv6", "--subnet", "fd00:66::/64", "hostile")).Text;
        _ = (await platform.DockerAsync("run", "-d", "--name", "spoofer", "--network", "hostile", "--ip", "10.66.0.9", "--ip6", "fd00:66::9", PerlImage.Name, "/usr/bin/perl", "-e", "sleep 100000")).Text;
        await platform.IdleAsync("--name", "victim", "--network", "hostile", "--ip", "10.66.0.7", "--ip6", "fd00:66::7");
        var own = await MacAsync("spoofer");
        var peer = await MacAsync("victim");
        var received = await ReceivedAsync();
        foreach (var kind in (string[])["mac", "ip4", "peer4", "arp", "arpmac", "ip6", "na", "ra", "dhcp", "vlan", "other"])
        {
            // A DHCP server's answer bears its sender's own addresses: there is just no way for it.
            var outcome = kind == "dhcp" ? "unrouted" : "spoofed";
            var before = await LoggedAsync(outcome);
            _ = (await platform.DockerAsync("exec", "spoofer", "/usr/bin/perl", "-e", Sender, kind, own, "10.66.0.9", "fd00:66::9", peer, "10.66.0.7", "fd00:66::7", "10.66.0.1")).Text;
            await Deadlines.UntilAsync($"the log's entries of {kind}", async () => await LoggedAsync(outcome) >= before + 3);
        }

        Assert.Equal(received, await ReceivedAsync());
        await platform.RemoveAsync("spoofer", "victim");
        _ = (await platform.DockerAsync("network", "rm", "hostile")).Text;
    }

    private async Task<string> MacAsync(string container) => (await platform.DockerAsync("inspect", "-f", "{{.NetworkSettings.Networks.hostile.MacAddress}}", container)).Text;

    private async Task<int> LoggedAsync(string outcome) => (await platform.CandelaAsync("flow", "log", "--outcome", outcome, "-o", "json")).Lines.Length;

    // Nobody else talks to the victim.
    private async Task<string> ReceivedAsync() => (await platform.ExecAsync("victim", "cat /sys/class/net/eth0/statistics/rx_packets")).Text;
}
