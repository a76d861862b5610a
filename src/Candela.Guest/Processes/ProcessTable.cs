using Candela.Guest.Channel;
using Candela.Guest.Container;
using Candela.Guest.Files;
using Candela.Guest.Loop;
using Candela.Guest.Processes.Launch;
using Candela.Guest.Protocol;
using Candela.Guest.Protocol.Host;

namespace Candela.Guest.Processes;

/// <summary>The processes that the host started, by its numbers. Number 1 is the container's first process.</summary>
internal sealed class ProcessTable(EventLoop loop, FrameSender sender, OutputQueue outputs, ContainerCgroup cgroup)
{
    private const uint Main = 1;

    private readonly Dictionary<uint, ContainerProcess> _processes = [];
    private readonly MessageWriter _message = new();
    private readonly Launcher _launcher = new(cgroup);
    private Namespaces? _container;

    /// <summary>The process of that number.</summary>
    /// <exception cref="AgentFailure">There is none.</exception>
    public ContainerProcess this[uint number] => _processes.TryGetValue(number, out var process)
        ? process
        : throw new AgentFailure(AgentError.NoSuchProcess, $"no process {number}");

    /// <summary>The process of that number, or null.</summary>
    public ContainerProcess? Find(uint number) => _processes.GetValueOrDefault(number);

    /// <summary>Starts a process; the result is its pid in the container.</summary>
    /// <exception cref="AgentFailure">It could not be started, or the request does not fit the state.</exception>
    public int Start(uint number, GuestProcess process, ContainerRoot root, string hostname)
    {
        if (_processes.ContainsKey(number))
            throw new AgentFailure(AgentError.BadState, $"process {number} was started before");
        if (_processes.Count >= ProtocolLimits.ProcessCount)
            throw new AgentFailure(AgentError.LimitExceeded, $"more than {ProtocolLimits.ProcessCount} processes");
        if (number != Main && (_container is null || Find(Main) is not { Exit: null }))
            throw new AgentFailure(AgentError.BadState, "the container is not running");

        var user = new ProcessUser(UserDatabase.Resolve(GuestPaths.Root, process.User, process.Groups));
        var oomKills = cgroup.OomKills;
        using var stdio = new Stdio(process, root.Terminals, user.Uid);
        var launched = _launcher.Launch(process, user, hostname, stdio, root, number == Main ? null : _container);
        if (number == Main)
            _container = Namespaces.TryOpen(launched.HostPid);
        Add(number, process, stdio, launched, oomKills);
        return launched.Pid;
    }

    /// <summary>Forgets a process that has ended.</summary>
    /// <exception cref="AgentFailure">It runs, or is not known.</exception>
    public void Forget(uint number)
    {
        var process = this[number];
        if (process.Exit is null)
            throw new AgentFailure(AgentError.BadState, $"process {number} runs");
        process.Dispose();
        _processes.Remove(number);
    }

    /// <summary>Writes the answer to List; from then on the host is told of every end.</summary>
    public void WriteList(MessageWriter writer)
    {
        writer.I32(_processes.Count);
        foreach (var process in _processes.Values)
        {
            process.IsAnnounced = true;
            writer.U32(process.Number);
            writer.I32(process.Pid);
            writer.Bool(process.Exit is not null);
            if (process.Exit is { } exit)
                ReplyCodec.Write(writer, exit);
            ReplyCodec.Write(writer, process.Stdout.Status);
            ReplyCodec.Write(writer, process.Stderr.Status);
        }
    }

    /// <summary>The host is gone: nothing is sent for any process until it is asked again.</summary>
    public void Halt()
    {
        foreach (var process in _processes.Values)
        {
            process.IsAnnounced = false;
            process.Stdout.Halt();
            process.Stderr.Halt();
        }
    }

    /// <summary>Tells a host that has just connected how much input it may send.</summary>
    public void AnnounceInput()
    {
        foreach (var process in _processes.Values)
            process.Input?.AnnounceRoom();
    }

    /// <summary>Lets go of the container's namespaces.</summary>
    public void Close()
    {
        _container?.Dispose();
        _container = null;
    }

    /// <summary>Forgets all processes, which must have ended.</summary>
    public void Clear()
    {
        foreach (var process in _processes.Values)
            process.Dispose();
        _processes.Clear();
    }

    private void Add(uint number, GuestProcess process, Stdio stdio, Launched launched, long oomKills)
    {
        var input = stdio.Input >= 0 ? new ProcessInput(loop, sender, number, stdio.Input, process.Tty) : null;
        var stdout = new ProcessOutput(loop, outputs, number, OutputStream.Stdout, stdio.Output, process.DiscardOutput);
        var stderr = new ProcessOutput(loop, outputs, number, OutputStream.Stderr, stdio.Error, process.DiscardOutput);
        var terminal = process.Tty ? stdio.Output : -1;
        stdio.Release();
        var added = new ContainerProcess(loop, cgroup, number, launched, terminal, input, stdout, stderr)
        {
            OomKillsBefore = oomKills,
            Ended = Tell,
            IsAnnounced = true,
        };
        _processes.Add(number, added);
        stdout.Resume(0);
        stderr.Resume(0);
        added.Watch();
    }

    private void Tell(ContainerProcess process)
    {
        if (!process.IsAnnounced || process.Exit is not { } exit)
            return;
        _message.Clear();
        ReplyCodec.Write(_message, exit);
        sender.Send(new FrameHeader(FrameType.Exit, 0, 0, process.Number, 0, 0), _message.Written);
    }
}
