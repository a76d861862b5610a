using Candela.Guest.Archives;
using Candela.Guest.Channel;
using Candela.Guest.Container;
using Candela.Guest.Files;
using Candela.Guest.Loop;
using Candela.Guest.Processes;
using Candela.Guest.Processes.Launch;
using Candela.Guest.Protocol;
using Candela.Guest.Protocol.Host;
using Candela.Guest.Statistics;
using Candela.Guest.Workloads;

namespace Candela.Guest;

/// <summary>Does what the host's frames ask, one at a time.</summary>
internal sealed class Agent(EventLoop loop, FrameSender sender, OutputQueue outputs, ArchiveTransfers archives)
{
    private const uint Main = 1;

    private readonly MessageAssembler _parts = new();
    private readonly MessageWriter _reply = new();
    private readonly ProcessTable _processes = new(loop, sender, outputs, new ContainerCgroup());
    private readonly StatisticsReader _statistics = new(GuestPaths.ContainerCgroup);
    private readonly ProcessLister _lister = new(GuestPaths.ContainerCgroup);
    private readonly WorkloadSocket _workloads = WorkloadSocket.Open(loop, sender);
    private bool _isGreeted;
    private bool _isConfigured;
    private ContainerRoot? _root;
    private GuestIdentity? _identity;
    private IdentityFolder? _identityFolder;

    /// <summary>The host has asked to power off and its answer is among what is to be sent.</summary>
    public bool IsPoweringOff { get; private set; }

    /// <summary>The host is gone: what it was to get is kept for the next one, or dropped.</summary>
    public void Disconnect()
    {
        _isGreeted = false;
        _parts.Clear();
        sender.Clear();
        _processes.Halt();
        archives.EndAll();
        _workloads.Halt();
    }

    /// <summary>Handles one frame; whatever the host sends, the agent goes on.</summary>
    public void Handle(FrameHeader header, ReadOnlySpan<byte> payload)
    {
        if (header.Type == FrameType.Hello)
        {
            Greet(header);
            return;
        }
        if (!_isGreeted)
            return;
        try
        {
            if (_parts.Add(header, ref payload))
                Dispatch(header, payload);
        }
        catch (AgentFailure failure)
        {
            Refuse(header, failure.Error, failure.Message);
        }
        catch (MalformedMessageException malformed)
        {
            Refuse(header, AgentError.InvalidArgument, malformed.Message);
        }
        catch (Exception defect) when (defect is not OutOfMemoryException)
        {
            Refuse(header, AgentError.Failed, $"{defect.GetType().Name}: {defect.Message}");
        }
    }

    private void Greet(FrameHeader header)
    {
        Disconnect();
        _isGreeted = true;
        sender.Send(new FrameHeader(FrameType.HelloReply, 0, 0, 0, 0, header.Position), BitConverter.GetBytes(ProtocolLimits.Version));
        _processes.AnnounceInput();
        _workloads.Resume();
    }

    private void Dispatch(FrameHeader header, ReadOnlySpan<byte> payload)
    {
        var reader = new MessageReader(payload);
        switch (header.Type)
        {
            case FrameType.Configure:
                var configuration = RequestCodec.ReadConfiguration(ref reader);
                reader.End();
                Configure(configuration, "");
                break;
            case FrameType.ConfigureAndStart:
                var both = RequestCodec.ReadConfiguration(ref reader);
                var main = RequestCodec.ReadProcess(ref reader);
                reader.End();
                Configure(both, main.User);
                Start(Main, main);
                break;
            case FrameType.Start:
                var process = RequestCodec.ReadProcess(ref reader);
                reader.End();
                Start(header.Process, process);
                break;
            case FrameType.Reidentify:
                var identity = RequestCodec.ReadIdentity(ref reader);
                reader.End();
                Reidentify(identity);
                break;
            case FrameType.SetNetwork:
                var network = RequestCodec.ReadNetwork(ref reader);
                reader.End();
                SetNetwork(network);
                break;
            case FrameType.SetLimits:
                var limits = RequestCodec.ReadLimits(ref reader);
                reader.End();
                RequireIdentity();
                ContainerCgroup.Change(limits);
                break;
            case FrameType.SetIdentityFiles:
                var files = RequestCodec.ReadFiles(ref reader);
                reader.End();
                (_identityFolder ?? throw new AgentFailure(AgentError.BadState, "the container has no folder for identity files")).Write(files);
                break;
            case FrameType.SetClock:
                Identity.SetClock((long)Math.Min(header.Position, long.MaxValue));
                break;
            case FrameType.Signal:
                _processes[header.Process].Signal((int)Math.Min(header.Position, int.MaxValue));
                break;
            case FrameType.Resize:
                _processes[header.Process].Resize((ushort)(header.Position >> 16), (ushort)header.Position);
                break;
            case FrameType.Input:
                _processes.Find(header.Process)?.Input?.Take(payload);
                return;
            case FrameType.CloseInput:
                _processes.Find(header.Process)?.Input?.Close();
                return;
            case FrameType.Acknowledge:
                if (_processes.Find(header.Process) is { } acknowledged)
                    acknowledged.Output((OutputStream)header.Flags).Acknowledge(header.Position);
                return;
            case FrameType.List:
                _processes.WriteList(_reply);
                break;
            case FrameType.ResumeOutput:
                _processes[header.Process].Output((OutputStream)header.Flags).Resume(header.Position);
                break;
            case FrameType.Forget:
                _processes.Forget(header.Process);
                break;
            case FrameType.PowerOff:
                IsPoweringOff = true;
                archives.EndAll();
                _processes.Close();
                _ = Power.EndContainer(keep: true);
                break;
            case FrameType.Reset:
                archives.EndAll();
                Reset();
                break;
            case FrameType.Statistics:
                ReplyCodec.Write(_reply, _statistics.Read());
                break;
            case FrameType.ListProcesses:
                WriteProcessEntries();
                break;
            case FrameType.Stat:
                RequireRoot();
                ReplyCodec.Write(_reply, PathStatReader.Read(GuestPaths.Root, ReadPath(ref reader)));
                break;
            case FrameType.ReadArchive:
                RequireRoot();
                archives.BeginDownload(header.Request, ReadPath(ref reader), _reply);
                break;
            case FrameType.ReadTree:
                RequireRoot();
                reader.End();
                archives.BeginDownload(header.Request, (GuestTree)header.Flags);
                break;
            case FrameType.WriteArchive:
                RequireRoot();
                archives.BeginUpload(header.Request, ReadPath(ref reader), (header.Flags & 1) != 0);
                return;
            case FrameType.ArchiveUp:
                archives.Upload(header.Request, payload);
                return;
            case FrameType.ArchiveCredit:
                archives.Grant(header.Request, header.Position);
                return;
            case FrameType.Cancel:
                archives.End(header.Request);
                return;
            case FrameType.ConnectionData:
                _workloads.Find(header.Process)?.Take(payload);
                return;
            case FrameType.ConnectionCredit:
                _workloads.Find(header.Process)?.Grant(header.Position);
                return;
            case FrameType.ConnectionClose:
                _workloads.Find(header.Process)?.Close();
                return;
            default:
                throw new AgentFailure(AgentError.BadState, $"this agent does not know requests of type {(byte)header.Type}");
        }
        sender.Send(new FrameHeader(FrameType.Reply, 0, 0, 0, header.Request, 0), _reply.Written);
        _reply.Clear();
    }

    private void Configure(GuestConfiguration configuration, string user)
    {
        if (_isConfigured)
            throw new AgentFailure(AgentError.BadState, "the guest is configured already");
        _isConfigured = true;
        Identity.Apply(configuration.Identity);
        ContainerCgroup.Limit(configuration);
        _root = new ContainerRoot(configuration);
        NetworkCards.Apply(configuration.Identity.Network.Interfaces);
        if (configuration.IdentityFolder.Length > 0)
        {
            var owner = new ProcessUser(UserDatabase.Resolve(GuestPaths.Root, user, []));
            _identityFolder = IdentityFolder.Mount(_root.Folder, configuration.IdentityFolder, GuestPaths.IdentityFiles, owner);
            _identityFolder.Write(configuration.Identity.Files);
        }
        Sysctls.Apply(configuration.Sysctls);
        _identity = configuration.Identity;
    }

    private void Reset()
    {
        _processes.Close();
        _root?.Close();
        var isUnmounted = Power.EndContainer(keep: false);
        _processes.Clear();
        (_root, _identity, _identityFolder) = (null, null, null);
        if (!isUnmounted)
            throw new AgentFailure(AgentError.Failed, "the container's mounts are still busy");
        _isConfigured = false;
        NetworkCards.Apply([]);
        ContainerCgroup.Unlimit();
        ContainerRoot.Prepare();
        _workloads.Listen();
    }

    private void Start(uint number, GuestProcess process)
    {
        if (_root is null || _identity is null)
            throw new AgentFailure(AgentError.BadState, "the guest is not configured");
        _reply.I32(_processes.Start(number, process, _root, _identity.Hostname));
    }

    private void Reidentify(GuestIdentity identity)
    {
        var former = RequireIdentity();
        Identity.Apply(identity);
        NetworkCards.Apply(identity.Network.Interfaces);
        EtcFiles.Rewrite(former, identity);
        _identityFolder?.Write(identity.Files);
        _identity = identity;
    }

    private void SetNetwork(GuestNetwork network)
    {
        var former = RequireIdentity();
        NetworkCards.Apply(network.Interfaces);
        _identity = former with { Network = network };
        EtcFiles.Rewrite(former, _identity);
    }

    private GuestIdentity RequireIdentity() => _identity ?? throw new AgentFailure(AgentError.BadState, "the guest is not configured");

    private void Refuse(FrameHeader header, AgentError error, string text)
    {
        _reply.Clear();
        Refusal.Send(sender, header.Request, error, text);
    }

    private void WriteProcessEntries()
    {
        var entries = _lister.List();
        _reply.I32(entries.Count);
        for (var i = 0; i < entries.Count; i++)
            ReplyCodec.Write(_reply, entries[i]);
    }

    private static string ReadPath(ref MessageReader reader)
    {
        var path = reader.Text();
        reader.End();
        return path;
    }

    private void RequireRoot()
    {
        if (_root is null)
            throw new AgentFailure(AgentError.BadState, "the guest is not configured");
    }
}
