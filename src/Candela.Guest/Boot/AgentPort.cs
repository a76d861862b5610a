using Candela.Guest.Native;

namespace Candela.Guest.Boot;

/// <summary>The virtio-serial port that leads to the host.</summary>
internal static unsafe class AgentPort
{
    private const string Name = "candela.agent.0";
    private const string Class = "/sys/class/virtio-ports";
    private const int PollNanoseconds = 2_000_000;
    private const int Polls = 15_000;

    /// <summary>Opens it, waiting until the driver has found it.</summary>
    /// <exception cref="AgentFailure">No port of that name appeared within 30 seconds.</exception>
    public static int Open()
    {
        for (var i = 0; i < Polls; i++)
        {
            if (Find() is { } device)
                return Errno.Check(Libc.open(device, Linux.O_RDWR | Linux.O_NONBLOCK | Linux.O_CLOEXEC, 0), $"open {device}");
            var pause = new TimeSpec { Nanoseconds = PollNanoseconds };
            _ = Libc.nanosleep(&pause, null);
        }
        throw new AgentFailure(Protocol.AgentError.Failed, $"no virtio port is named {Name}");
    }

    private static string? Find()
    {
        if (!Directory.Exists(Class))
            return null;
        foreach (var port in Directory.EnumerateDirectories(Class))
        {
            if (SmallFile.TryRead(port + "/name")?.TrimEnd() == Name)
                return "/dev/" + Path.GetFileName(port);
        }
        return null;
    }
}
