using Candela.Guest.Protocol.Host;

namespace Candela.Guest.Protocol.Tests;

public class CodecTests
{
    private readonly MessageWriter _writer = new();

    private static GuestNetwork Network => new()
    {
        Interfaces =
        [
            new GuestInterface
            {
                Number = 0, Mac = [2, 0xcd, 0, 0, 0, 1], Mtu = 1500, Ipv4 = [10, 0, 0, 2], Ipv4PrefixLength = 24,
                Ipv6 = new byte[16], Ipv6PrefixLength = 64, Routes = [new([0, 0, 0, 0], 0, [10, 0, 0, 1]), new([10, 1, 0, 0], 16, [10, 0, 0, 1])],
            },
        ],
        HostsLines = ["10.0.0.1\tdb"],
        ResolvConf = "nameserver ü\n",
    };

    [Fact]
    public void A_network_comes_back_as_it_was()
    {
        RequestCodec.Write(_writer, Network);
        var reader = new MessageReader(_writer.Written);
        Assert.Equivalent(Network, RequestCodec.ReadNetwork(ref reader), strict: true);
        reader.End();
    }

    [Fact]
    public void A_configuration_comes_back_as_it_was()
    {
        var configuration = new GuestConfiguration
        {
            Identity = new GuestIdentity { Entropy = [1, 2, 3], WallClockNanoseconds = long.MaxValue, Hostname = "box", Domainname = "d", MachineId = "ab", Network = Network, Files = [new("svid.pem", "text", true)] },
            ImageFileSystem = "erofs",
            ReadOnlyRoot = true,
            HasScratch = false,
            Tmpfs = [new("/run", "size=1m")],
            Volumes = [new(1, "/data", true, false), new(0, "/more", false, true)],
            ShmSizeBytes = 5,
            MemoryLimitBytes = 1,
            NanoCpus = 2,
            PidsLimit = 3,
            Sysctls = [new("a.b", "c")],
            Privileged = true,
            IdentityFolder = "/run/identity",
        };
        RequestCodec.Write(_writer, configuration);
        var reader = new MessageReader(_writer.Written);
        Assert.Equivalent(configuration, RequestCodec.ReadConfiguration(ref reader), strict: true);
        reader.End();
    }

    [Fact]
    public void A_process_comes_back_as_it_was()
    {
        var process = new GuestProcess
        {
            Arguments = ["sh", "-c", ""],
            Environment = ["A=1"],
            WorkingDirectory = "/w",
            User = "u:g",
            Groups = ["x"],
            Capabilities = ulong.MaxValue,
            NoNewPrivileges = true,
            Rlimits = [(7, 1, ulong.MaxValue)],
            OomScoreAdjustment = -5,
            Tty = true,
            Rows = 1,
            Columns = 65535,
            OpenStdin = true,
            DiscardOutput = true,
        };
        RequestCodec.Write(_writer, process);
        var reader = new MessageReader(_writer.Written);
        Assert.Equivalent(process, RequestCodec.ReadProcess(ref reader), strict: true);
        reader.End();
    }

    [Fact]
    public void A_message_that_is_cut_off_anywhere_is_refused()
    {
        RequestCodec.Write(_writer, new GuestProcess { Arguments = ["sh"], Rlimits = [(1, 2, 3)], Groups = ["g"] });
        var whole = _writer.Written.ToArray();
        for (var length = 0; length < whole.Length; length++)
        {
            Assert.Throws<MalformedMessageException>(() =>
            {
                var reader = new MessageReader(whole.AsSpan(0, length));
                RequestCodec.ReadProcess(ref reader);
            });
        }
    }

    [Fact]
    public void A_count_larger_than_the_message_allocates_nothing()
    {
        _writer.I32(int.MaxValue);
        Assert.Throws<MalformedMessageException>(() => new MessageReader(_writer.Written).Texts());
        Assert.Throws<MalformedMessageException>(() => new MessageReader(_writer.Written).Bytes());
    }

    [Theory]
    [InlineData(256, 0)]
    [InlineData(0, 65)]
    [InlineData(-1, 0)]
    public void An_impossible_exit_is_refused(int code, int signal)
    {
        ReplyCodec.Write(_writer, new ProcessExit(code, signal, false));
        Assert.Throws<MalformedMessageException>(() =>
        {
            var reader = new MessageReader(_writer.Written);
            ReplyCodec.ReadExit(ref reader);
        });
    }

    [Theory]
    [InlineData(2, 1)]
    [InlineData(0, ProtocolLimits.StreamWindowBytes + 1)]
    public void Impossible_positions_of_a_stream_are_refused(ulong first, ulong next)
    {
        ReplyCodec.Write(_writer, new StreamStatus(first, next, false));
        Assert.Throws<MalformedMessageException>(() =>
        {
            var reader = new MessageReader(_writer.Written);
            ReplyCodec.ReadStreamStatus(ref reader);
        });
    }
}
