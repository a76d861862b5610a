namespace Candela.Guest.Protocol.Host;

public sealed partial class AgentConnection
{
    /// <inheritdoc/>
    public Task ConfigureAsync(GuestConfiguration configuration, CancellationToken cancellationToken)
    {
        var writer = new MessageWriter();
        RequestCodec.Write(writer, configuration);
        return RequestAsync(FrameType.Configure, 0, 0, 0, writer.WrittenMemory, cancellationToken);
    }

    /// <inheritdoc/>
    public Task ReidentifyAsync(GuestIdentity identity, CancellationToken cancellationToken)
    {
        var writer = new MessageWriter();
        RequestCodec.Write(writer, identity);
        return RequestAsync(FrameType.Reidentify, 0, 0, 0, writer.WrittenMemory, cancellationToken);
    }

    /// <inheritdoc/>
    public Task SetNetworkAsync(GuestNetwork network, CancellationToken cancellationToken)
    {
        var writer = new MessageWriter();
        RequestCodec.Write(writer, network);
        return RequestAsync(FrameType.SetNetwork, 0, 0, 0, writer.WrittenMemory, cancellationToken);
    }

    /// <inheritdoc/>
    public Task SetLimitsAsync(GuestLimits limits, CancellationToken cancellationToken)
    {
        var writer = new MessageWriter();
        RequestCodec.Write(writer, limits);
        return RequestAsync(FrameType.SetLimits, 0, 0, 0, writer.WrittenMemory, cancellationToken);
    }

    /// <inheritdoc/>
    public Task SetIdentityFilesAsync(IReadOnlyList<GuestFile> files, CancellationToken cancellationToken)
    {
        var writer = new MessageWriter();
        RequestCodec.Write(writer, files);
        return RequestAsync(FrameType.SetIdentityFiles, 0, 0, 0, writer.WrittenMemory, cancellationToken);
    }

    /// <inheritdoc/>
    public Task SetClockAsync(DateTimeOffset wallClock, CancellationToken cancellationToken) =>
        RequestAsync(FrameType.SetClock, 0, (ulong)(wallClock - DateTimeOffset.UnixEpoch).Ticks * 100, 0, default, cancellationToken);

    /// <inheritdoc/>
    public Task<int> StartAsync(uint process, GuestProcess spec, CancellationToken cancellationToken)
    {
        var writer = new MessageWriter();
        RequestCodec.Write(writer, spec);
        return StartAsync(FrameType.Start, process, spec, writer, cancellationToken);
    }

    /// <inheritdoc/>
    public Task<int> ConfigureAndStartAsync(GuestConfiguration configuration, GuestProcess main, CancellationToken cancellationToken)
    {
        var writer = new MessageWriter(2048);
        RequestCodec.Write(writer, configuration);
        RequestCodec.Write(writer, main);
        return StartAsync(FrameType.ConfigureAndStart, 1, main, writer, cancellationToken);
    }

    private async Task<int> StartAsync(FrameType type, uint process, GuestProcess spec, MessageWriter message, CancellationToken cancellationToken)
    {
        if (spec.OpenStdin)
            InputOf(process, ProtocolLimits.InputWindowBytes);
        try
        {
            return Parse(await RequestAsync(type, process, 0, 0, message.WrittenMemory, cancellationToken), static (ref r) => r.I32());
        }
        catch (AgentException)
        {
            _inputCredits.TryRemove(process, out _);
            throw;
        }
    }

    /// <inheritdoc/>
    public Task SignalAsync(uint process, int signal, CancellationToken cancellationToken) =>
        RequestAsync(FrameType.Signal, process, (ulong)signal, 0, default, cancellationToken);

    /// <inheritdoc/>
    public Task ResizeAsync(uint process, ushort rows, ushort columns, CancellationToken cancellationToken) =>
        RequestAsync(FrameType.Resize, process, ((ulong)rows << 16) | columns, 0, default, cancellationToken);

    /// <inheritdoc/>
    public async ValueTask WriteInputAsync(uint process, ReadOnlyMemory<byte> data, CancellationToken cancellationToken)
    {
        ThrowIfClosed();
        if (!_inputCredits.TryGetValue(process, out var credit))
            throw new AgentException(AgentError.Gone, $"Process {process} has no standard input.");
        while (data.Length > 0)
        {
            var count = await credit.TakeAsync(Math.Min(data.Length, ProtocolLimits.DataFrameBytes), cancellationToken);
            await SendAsync(new FrameHeader(FrameType.Input, 0, 0, process, 0, 0), data[..count], CancellationToken.None);
            data = data[count..];
        }
    }

    /// <inheritdoc/>
    public async ValueTask CloseInputAsync(uint process, CancellationToken cancellationToken)
    {
        ThrowIfClosed();
        await SendAsync(new FrameHeader(FrameType.CloseInput, 0, 0, process, 0, 0), default, cancellationToken);
    }

    /// <inheritdoc/>
    public void Acknowledge(uint process, OutputStream stream, ulong position)
    {
        _acknowledgements.AddOrUpdate(
            (process, stream), static (_, to) => to, static (_, before, to) => Math.Max(before, to), position);
        if (Interlocked.Exchange(ref _acknowledging, 1) == 0)
            _ = SendAcknowledgementsAsync();
    }

    private async Task SendAcknowledgementsAsync()
    {
        try
        {
            do
            {
                foreach (var key in _acknowledgements.Keys)
                {
                    if (_acknowledgements.TryRemove(key, out var position))
                        await SendAsync(new FrameHeader(FrameType.Acknowledge, (byte)key.Stream, 0, key.Process, 0, position), default, CancellationToken.None);
                }
                Volatile.Write(ref _acknowledging, 0);
            }
            while (!_acknowledgements.IsEmpty && Interlocked.Exchange(ref _acknowledging, 1) == 0);
        }
        catch (Exception failure)
        {
            Close(failure);
        }
    }

    /// <inheritdoc/>
    public async Task<IReadOnlyList<GuestProcessStatus>> ListAsync(CancellationToken cancellationToken) =>
        Parse(await RequestAsync(FrameType.List, 0, 0, 0, default, cancellationToken), ReplyCodec.ReadProcesses);

    /// <inheritdoc/>
    public Task ResumeOutputAsync(uint process, OutputStream stream, ulong position, CancellationToken cancellationToken) =>
        RequestAsync(FrameType.ResumeOutput, process, position, (byte)stream, default, cancellationToken);

    /// <inheritdoc/>
    public async Task ForgetAsync(uint process, CancellationToken cancellationToken)
    {
        await RequestAsync(FrameType.Forget, process, 0, 0, default, cancellationToken);
        _inputCredits.TryRemove(process, out _);
    }

    /// <inheritdoc/>
    public async Task<GuestStatistics> GetStatisticsAsync(CancellationToken cancellationToken) =>
        Parse(await RequestAsync(FrameType.Statistics, 0, 0, 0, default, cancellationToken), ReplyCodec.ReadStatistics);

    /// <inheritdoc/>
    public async Task<IReadOnlyList<GuestProcessEntry>> ListProcessesAsync(CancellationToken cancellationToken) =>
        Parse(await RequestAsync(FrameType.ListProcesses, 0, 0, 0, default, cancellationToken), ReplyCodec.ReadProcessEntries);

    /// <inheritdoc/>
    public Task PowerOffAsync(CancellationToken cancellationToken) =>
        RequestAsync(FrameType.PowerOff, 0, 0, 0, default, cancellationToken);

    /// <inheritdoc/>
    public Task ResetAsync(CancellationToken cancellationToken) =>
        RequestAsync(FrameType.Reset, 0, 0, 0, default, cancellationToken);

    private delegate T Read<T>(ref MessageReader reader);

    private T Parse<T>(byte[] payload, Read<T> read)
    {
        try
        {
            var reader = new MessageReader(payload);
            var value = read(ref reader);
            reader.End();
            return value;
        }
        catch (MalformedMessageException broken)
        {
            var violation = new AgentProtocolException(broken.Message);
            Close(violation);
            throw violation;
        }
    }
}
