using Candela.Guest.Native;
using Candela.Guest.Protocol.Host;

namespace Candela.Guest.Processes.Launch;

/// <summary>Standard streams of a process that is about to start: the agent's ends and the child's; absent ones are −1.</summary>
internal sealed unsafe class Stdio : IDisposable
{
    /// <summary>Pipes or a terminal, as <paramref name="process"/> asks; <paramref name="uid"/> may reopen them.</summary>
    /// <exception cref="AgentFailure">A call failed.</exception>
    public Stdio(GuestProcess process, int terminals, uint uid)
    {
        try
        {
            if (process.Tty)
            {
                OpenTerminal(process, terminals);
                return;
            }
            if (process.OpenStdin)
                (ChildInput, Input) = Pipe(uid, agentWrites: true);
            if (process.DiscardOutput)
                return;
            (ChildOutput, Output) = Pipe(uid, agentWrites: false);
            (ChildError, Error) = Pipe(uid, agentWrites: false);
        }
        catch
        {
            Dispose();
            throw;
        }
    }

    public int Input { get; private set; } = -1;

    /// <summary>Standard output, or the terminal.</summary>
    public int Output { get; private set; } = -1;

    public int Error { get; private set; } = -1;

    public int ChildInput { get; private set; } = -1;

    public int ChildOutput { get; private set; } = -1;

    public int ChildError { get; private set; } = -1;

    /// <summary>The terminal's path in the container, or null.</summary>
    public string? Terminal { get; private set; }

    /// <summary>The agent's ends belong to whoever reads the properties from here on.</summary>
    public void Release()
    {
        Input = Output = Error = -1;
    }

    /// <summary>Closes the child's ends, and the agent's unless released.</summary>
    public void Dispose()
    {
        ReadOnlySpan<int> all = [Input, Output, Error, ChildInput, ChildOutput, ChildError];
        foreach (var fd in all)
        {
            if (fd >= 0)
                _ = Libc.close(fd);
        }
        Release();
        ChildInput = ChildOutput = ChildError = -1;
    }

    /// <summary>Sets the terminal's size.</summary>
    /// <exception cref="AgentFailure">The call failed.</exception>
    public static void Resize(int terminal, ushort rows, ushort columns)
    {
        var size = new WinSize { Rows = rows, Columns = columns };
        Errno.Check(Libc.ioctl(terminal, Linux.TIOCSWINSZ, &size), "TIOCSWINSZ");
    }

    private void OpenTerminal(GuestProcess process, int terminals)
    {
        const int Flags = Linux.O_RDWR | Linux.O_NOCTTY | Linux.O_NONBLOCK | Linux.O_CLOEXEC;
        Output = Errno.Check(Libc.openat(terminals, "ptmx", Flags, 0), "open /dev/pts/ptmx");
        int locked = 0, number;
        Errno.Check(Libc.ioctl(Output, Linux.TIOCSPTLCK, &locked), "TIOCSPTLCK");
        Errno.Check(Libc.ioctl(Output, Linux.TIOCGPTN, &number), "TIOCGPTN");
        if (process.Rows > 0 || process.Columns > 0)
            Resize(Output, process.Rows, process.Columns);
        if (process.OpenStdin)
            Input = Errno.Check(Libc.fcntl(Output, Linux.F_DUPFD_CLOEXEC, 3), "F_DUPFD_CLOEXEC");
        Terminal = $"/dev/pts/{number}";
    }

    private static (int Child, int Agent) Pipe(uint uid, bool agentWrites)
    {
        var ends = stackalloc int[2];
        Errno.Check(Libc.pipe2(ends, Linux.O_CLOEXEC), "pipe2");
        var (child, agent) = agentWrites ? (ends[0], ends[1]) : (ends[1], ends[0]);
        _ = Libc.fcntl(agent, Linux.F_SETFL, Linux.O_NONBLOCK);
        _ = Libc.fchown(child, uid, uint.MaxValue);
        return (child, agent);
    }
}
