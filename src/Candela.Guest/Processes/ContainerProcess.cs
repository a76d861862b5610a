using Candela.Guest.Container;
using Candela.Guest.Loop;
using Candela.Guest.Native;
using Candela.Guest.Processes.Launch;
using Candela.Guest.Protocol;
using Candela.Guest.Protocol.Host;

namespace Candela.Guest.Processes;

/// <summary>A process that the host started: running, or ended and not forgotten.</summary>
internal sealed unsafe class ContainerProcess(
    EventLoop loop, ContainerCgroup cgroup, uint number, Launched launched, int terminal, ProcessInput? input, ProcessOutput stdout, ProcessOutput stderr)
    : IEventSource, IDisposable
{
    private int _watch = -1;
    /// <summary>The host's number for it.</summary>
    public uint Number => number;

    /// <summary>Pid in the container.</summary>
    public int Pid => launched.Pid;

    /// <summary>Standard input; null: the process has none that the host feeds.</summary>
    public ProcessInput? Input => input;

    /// <summary>Standard output, or the terminal.</summary>
    public ProcessOutput Stdout => stdout;

    /// <summary>Standard error.</summary>
    public ProcessOutput Stderr => stderr;

    /// <summary>Null while it runs.</summary>
    public ProcessExit? Exit { get; private set; }

    /// <summary>Count of OOM kills in the cgroup before it started.</summary>
    public required long OomKillsBefore { get; init; }

    /// <summary>The present host knows of it and is told of its end.</summary>
    public bool IsAnnounced { get; set; }

    /// <summary>Called once, when it has ended.</summary>
    public required Action<ContainerProcess> Ended { get; init; }

    /// <summary>The stream that <paramref name="stream"/> names.</summary>
    /// <exception cref="AgentFailure">There is none.</exception>
    public ProcessOutput Output(OutputStream stream) => stream switch
    {
        OutputStream.Stdout => stdout,
        OutputStream.Stderr => stderr,
        _ => throw new AgentFailure(AgentError.InvalidArgument, "a stream is neither standard output nor standard error"),
    };

    /// <summary>Begins to wait for its end.</summary>
    public void Watch() => _watch = loop.Add(launched.PidFd, Linux.EPOLLIN, this);

    /// <summary>Sends a signal; until it is reaped its pid cannot be another's.</summary>
    /// <exception cref="AgentFailure">It has ended, or the signal is none.</exception>
    public void Signal(int signal)
    {
        if (signal is < 1 or > Linux.SignalMost)
            throw new AgentFailure(AgentError.InvalidArgument, $"there is no signal {signal}");
        if (Exit is not null)
            throw new AgentFailure(AgentError.NoSuchProcess, "the process has ended");
        Errno.Check(Libc.kill(launched.HostPid, signal), "kill");
    }

    /// <summary>Sets the size of its terminal.</summary>
    /// <exception cref="AgentFailure">It has none, or has ended.</exception>
    public void Resize(ushort rows, ushort columns)
    {
        if (terminal < 0)
            throw new AgentFailure(AgentError.BadState, "the process has no terminal");
        if (stdout.HasEnded)
            throw new AgentFailure(AgentError.NoSuchProcess, "the process has ended");
        Stdio.Resize(terminal, rows, columns);
    }

    /// <inheritdoc/>
    public void OnReady(uint events)
    {
        int status;
        if (Libc.waitpid(launched.HostPid, &status, Linux.WNOHANG | Linux.WALL) != launched.HostPid)
            return;
        Unwatch();
        input?.Dispose();
        var signal = status & 0x7F;
        Exit = new ProcessExit(signal == 0 ? (status >> 8) & 0xFF : 128 + signal, signal, cgroup.OomKills > OomKillsBefore);
        Ended(this);
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        Unwatch();
        input?.Dispose();
        stdout.Dispose();
        stderr.Dispose();
    }

    private void Unwatch()
    {
        if (_watch < 0)
            return;
        loop.Remove(launched.PidFd, _watch);
        _ = Libc.close(launched.PidFd);
        _watch = -1;
    }
}
