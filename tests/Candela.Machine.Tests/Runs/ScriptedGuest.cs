using System.Collections.Concurrent;
using System.Security.Cryptography;
using System.Text;
using Candela.Guest.Protocol;
using Candela.Guest.Protocol.Host;
using Candela.Microvisor;

namespace Candela.Machine.Tests.Runs;

/// <summary>
/// Guests that speak the agent protocol and whose processes are a word each: <c>echo TEXT</c> prints and ends; <c>wait</c> prints
/// "ready" and runs until a signal; <c>vanish</c> runs until it is listed, has ended then, and is gone; <c>babble</c> starts and then sends nonsense; all else is not found.
/// </summary>
internal sealed class ScriptedGuest
{
    private readonly ConcurrentDictionary<string, Memory> _memories = new();

    /// <summary>What every container differs in from its image: records as the guest sends them.</summary>
    private static byte[] Changes { get; } = "D/b\0C/a\0A/a/x\0A/a-b\0"u8.ToArray();

    /// <summary>Serves a clone's port.</summary>
    public Task ServeAsync(CloneSpec spec, Stream port, CancellationToken cancellationToken) =>
        new Guest(_memories[spec.Id] = new Memory(), port).ServeAsync(cancellationToken);

    /// <summary>Serves a fork's port, with what its source remembers.</summary>
    public Task ServeForkAsync(CloneSpec source, CloneSpec fork, Stream port, CancellationToken cancellationToken) =>
        new Guest(_memories[fork.Id] = _memories[source.Id].Copy(), port).ServeAsync(cancellationToken);

    /// <summary>A guest's hostname.</summary>
    public string HostnameOf(string vmId) => _memories[vmId].Hostname;

    /// <summary>The last time that a guest's clock was set to while it ran; null: never.</summary>
    public DateTimeOffset? ClockOf(string vmId) => _memories[vmId].Clock;

    /// <summary>What a fork inherits.</summary>
    private sealed class Memory
    {
        public ConcurrentDictionary<uint, Script> Processes { get; init; } = new();

        public string Hostname { get; set; } = "";

        public DateTimeOffset? Clock { get; set; }

        public Memory Copy() => new() { Processes = new(Processes.Select(p => KeyValuePair.Create(p.Key, p.Value with { }))) };
    }

    private sealed record Script
    {
        public byte[] Output { get; set; } = [];

        public ProcessExit? Exit { get; set; }

        public bool Vanishes { get; init; }
    }

    private sealed class Guest(Memory memory, Stream port)
    {
        private readonly byte[] _buffer = new byte[4 * FrameHeader.FrameMaxBytes];
        private int _end;

        public async Task ServeAsync(CancellationToken cancellationToken)
        {
            while (await NextAsync(cancellationToken) is var (header, payload) && header.Type != FrameType.None)
            {
                await HandleAsync(header, payload);
                if (header.Type == FrameType.PowerOff)
                    return;
            }
        }

        private async Task HandleAsync(FrameHeader header, byte[] payload)
        {
            switch (header.Type)
            {
                case FrameType.Hello:
                    await SendAsync(FrameType.HelloReply, 0, 0, header.Position, [(byte)ProtocolLimits.Version, 0]);
                    break;
                case FrameType.ConfigureAndStart or FrameType.Start:
                    await StartAsync(header, Program(header.Type, payload));
                    break;
                case FrameType.Reidentify:
                    var reader = new MessageReader(payload);
                    memory.Hostname = RequestCodec.ReadIdentity(ref reader).Hostname;
                    await ReplyAsync(header, _ => { });
                    break;
                case FrameType.SetClock:
                    memory.Clock = DateTimeOffset.UnixEpoch.AddTicks((long)(header.Position / 100));
                    await ReplyAsync(header, _ => { });
                    break;
                case FrameType.Signal when memory.Processes.TryGetValue(header.Process, out Script? script):
                    script.Exit = new ProcessExit(128 + (int)header.Position, (int)header.Position, OomKilled: false);
                    await ReplyAsync(header, _ => { });
                    await TellAsync(header.Process, script, script.Output.Length);
                    break;
                case FrameType.List:
                    var vanishing = memory.Processes.Where(p => p.Value.Vanishes).ToList();
                    vanishing.ForEach(p => p.Value.Exit = new ProcessExit(0, 0, OomKilled: false));
                    await ReplyAsync(header, WriteProcesses);
                    vanishing.ForEach(p => memory.Processes.TryRemove(p));

                    break;
                case FrameType.ResumeOutput when !memory.Processes.ContainsKey(header.Process):
                    await SendAsync(FrameType.Error, 0, header.Request, 0, [(byte)AgentError.NoSuchProcess, 0, .. "no such process"u8]);
                    break;
                case FrameType.ResumeOutput:
                    await ReplyAsync(header, _ => { });
                    if (header.Flags == (byte)OutputStream.Stdout && memory.Processes.TryGetValue(header.Process, out Script? resumed))
                        await TellAsync(header.Process, resumed, (int)header.Position);
                    break;
                case FrameType.Acknowledge:
                    break;
                case FrameType.Stat:
                    await ReplyAsync(header, static writer => ReplyCodec.Write(writer, new ArchiveStat("file", 4, 0x81A4, 0, "")));
                    break;
                case FrameType.ReadArchive or FrameType.ReadTree:
                    await ReplyAsync(header, writer =>
                    {
                        if (header.Type == FrameType.ReadArchive)
                            ReplyCodec.Write(writer, new ArchiveStat("file", 4, 0x81A4, 0, ""));
                    });
                    await SendAsync(FrameType.ArchiveDown, 0, header.Request, 0, header.Flags == (byte)GuestTree.Changes ? Changes : "tar"u8.ToArray());
                    await SendAsync(FrameType.ArchiveDown, 0, header.Request, 0, []);
                    break;
                default:
                    await ReplyAsync(header, _ => { });
                    break;
            }
        }

        private IReadOnlyList<string> Program(FrameType type, byte[] payload)
        {
            var reader = new MessageReader(payload);
            if (type == FrameType.ConfigureAndStart)
                memory.Hostname = RequestCodec.ReadConfiguration(ref reader).Identity.Hostname;
            return RequestCodec.ReadProcess(ref reader).Arguments;
        }

        private async Task StartAsync(FrameHeader header, IReadOnlyList<string> program)
        {
            if (program[0] is not ("echo" or "wait" or "vanish" or "babble"))
            {
                await SendAsync(FrameType.Error, 0, header.Request, 0, [(byte)AgentError.CommandNotFound, 0, .. "no such word"u8]);
                return;
            }

            await ReplyAsync(header, w => w.I32(7));
            if (program[0] == "babble")
            {
                await port.WriteAsync(RandomNumberGenerator.GetBytes(4096));
                return;
            }

            Script script = memory.Processes[header.Process] = new Script
            {
                Output = Encoding.UTF8.GetBytes(program[0] == "echo" ? program[1] + "\n" : "ready\n"),
                Exit = program[0] == "echo" ? new ProcessExit(0, 0, OomKilled: false) : null,
                Vanishes = program[0] == "vanish",
            };
            await TellAsync(header.Process, script, from: 0);
        }

        /// <summary>All output from a position on, and the end of a process that has ended.</summary>
        private async Task TellAsync(uint process, Script script, int from)
        {
            if (from < script.Output.Length)
                await SendAsync(FrameType.Output, process, 0, (ulong)from, script.Output.AsSpan(from).ToArray(), (byte)OutputStream.Stdout);
            if (script.Exit is not { } exit)
                return;
            await SendAsync(FrameType.Output, process, 0, (ulong)script.Output.Length, [], (byte)OutputStream.Stdout);
            await SendAsync(FrameType.Output, process, 0, 0, [], (byte)OutputStream.Stderr);
            var writer = new MessageWriter();
            ReplyCodec.Write(writer, exit);
            await SendAsync(FrameType.Exit, process, 0, 0, writer.Written.ToArray());
        }

        private void WriteProcesses(MessageWriter writer)
        {
            writer.I32(memory.Processes.Count);
            foreach ((uint number, Script script) in memory.Processes)
            {
                writer.U32(number);
                writer.I32(7);
                writer.Bool(script.Exit is not null);
                if (script.Exit is { } exit)
                    ReplyCodec.Write(writer, exit);
                ReplyCodec.Write(writer, new StreamStatus(0, (ulong)script.Output.Length, script.Exit is not null));
                ReplyCodec.Write(writer, new StreamStatus(0, 0, script.Exit is not null));
            }
        }

        private Task ReplyAsync(FrameHeader request, Action<MessageWriter> write)
        {
            var writer = new MessageWriter();
            write(writer);
            return request.Request == 0 ? Task.CompletedTask : SendAsync(FrameType.Reply, 0, request.Request, 0, writer.Written.ToArray());
        }

        private async Task SendAsync(FrameType type, uint process, uint request, ulong position, byte[] payload, byte flags = 0)
        {
            byte[] frame = new byte[FrameHeader.SizeBytes + payload.Length + 1];
            new FrameHeader(type, flags, payload.Length, process, request, position).Write(frame);
            payload.CopyTo(frame, FrameHeader.SizeBytes);
            frame[^1] = FrameHeader.Trailer;
            await port.WriteAsync(frame);
        }

        /// <summary>The next frame; none at the end.</summary>
        private async Task<(FrameHeader Header, byte[] Payload)> NextAsync(CancellationToken cancellationToken)
        {
            while (true)
            {
                FrameScanResult result = FrameScan.Next(_buffer.AsSpan(0, _end), out FrameHeader header, out int consumed);
                byte[] payload = result == FrameScanResult.Frame ? _buffer.AsSpan(FrameHeader.SizeBytes, header.Length).ToArray() : [];
                _buffer.AsSpan(consumed, _end - consumed).CopyTo(_buffer);
                _end -= consumed;
                if (result == FrameScanResult.Frame)
                    return (header, payload);
                if (result != FrameScanResult.Incomplete)
                    continue;
                int count = await port.ReadAsync(_buffer.AsMemory(_end), cancellationToken);
                if (count == 0)
                    return default;
                _end += count;
            }
        }
    }
}
