using System.Text;
using Candela.Guest.Native;
using Candela.Guest.Protocol;
using Candela.Guest.Protocol.Host;

namespace Candela.Guest.Container;

/// <summary>What makes this clone nobody's twin: entropy first, then the clock, then the names.</summary>
internal static unsafe class Identity
{
    private const int NameMaxBytes = 64;
    private const long NanosecondsPerSecond = 1_000_000_000;

    /// <exception cref="AgentFailure">A value is malformed or was refused.</exception>
    public static void Apply(GuestIdentity identity)
    {
        AddEntropy(identity.Entropy);
        SetClock(identity.WallClockNanoseconds);
        var name = Name(identity.Hostname);
        fixed (byte* text = name)
            Errno.Check(Libc.sethostname(text, (nuint)name.Length), "set the host name");
        name = Name(identity.Domainname);
        fixed (byte* text = name)
            Errno.Check(Libc.setdomainname(text, (nuint)name.Length), "set the domain name");
    }

    /// <param name="wallClock">Nanoseconds since the Unix epoch.</param>
    /// <exception cref="AgentFailure">The kernel refused it.</exception>
    public static void SetClock(long wallClock)
    {
        var time = new TimeSpec { Seconds = Math.DivRem(wallClock, NanosecondsPerSecond, out var rest), Nanoseconds = rest };
        Errno.Check(Libc.clock_settime(Linux.CLOCK_REALTIME, &time), "set the clock");
    }

    private static void AddEntropy(byte[] entropy)
    {
        if (entropy.Length is 0 or > 512)
            throw new AgentFailure(AgentError.InvalidArgument, "entropy must be 1 to 512 bytes");
        // struct rand_pool_info: bits, bytes, data.
        var pool = stackalloc byte[8 + entropy.Length];
        ((int*)pool)[0] = entropy.Length * 8;
        ((int*)pool)[1] = entropy.Length;
        entropy.CopyTo(new Span<byte>(pool + 8, entropy.Length));
        var device = Errno.Check(Libc.open("/dev/urandom", Linux.O_RDWR | Linux.O_CLOEXEC, 0), "open /dev/urandom");
        try
        {
            Errno.Check(Libc.ioctl(device, Linux.RNDADDENTROPY, pool), "RNDADDENTROPY");
            Errno.Check(Libc.ioctl(device, Linux.RNDRESEEDCRNG, null), "RNDRESEEDCRNG");
        }
        finally
        {
            _ = Libc.close(device);
        }
    }

    private static byte[] Name(string value)
    {
        var bytes = Encoding.UTF8.GetBytes(value);
        return bytes.Length <= NameMaxBytes
            ? bytes
            : throw new AgentFailure(AgentError.InvalidArgument, $"a host or domain name is longer than {NameMaxBytes} bytes");
    }
}
