namespace Candela.Microvisor.Simulated;

/// <summary>
/// The guest's end of the agent's port: one for the life of the micro-VM, whoever is connected at the other end. As on a virtio port, what
/// the guest writes while nobody is connected is lost. While the micro-VM is paused nothing passes.
/// </summary>
internal sealed class GuestPort : AgentStream
{
    private readonly Lock _gate = new();
    private HostEnd? _host;
    private TaskCompletionSource _connected = NewSignal();
    private TaskCompletionSource _running = NewSignal();
    private bool _ended;

    public GuestPort() => _running.SetResult();

    /// <summary>Connects the host's end; a former connection is closed.</summary>
    /// <exception cref="IOException">The micro-VM has ended.</exception>
    public Stream Connect()
    {
        var host = new HostEnd();
        lock (_gate)
        {
            if (_ended)
                throw new IOException("the micro-VM has ended");
            _host?.Dispose();
            _host = host;
            _connected.TrySetResult();
            return host;
        }
    }

    /// <summary>Holds or lets pass whatever the guest reads and writes from now on.</summary>
    public void SetPaused(bool paused)
    {
        lock (_gate)
        {
            if (paused && !_ended && _running.Task.IsCompleted)
                _running = NewSignal();
            else if (!paused)
                _running.TrySetResult();
        }
    }

    /// <summary>The micro-VM has ended: what the guest wrote can still be read.</summary>
    public void End()
    {
        lock (_gate)
        {
            _ended = true;
            _host?.ToGuest.End();
            _host?.ToHost.End();
            _connected.TrySetResult();
            _running.TrySetResult();
        }
    }

    public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
    {
        while (true)
        {
            HostEnd? host = await HostAsync(cancellationToken);
            if (host is null)
                return 0;
            int count = await host.ToGuest.ReadAsync(buffer, cancellationToken);
            await _running.Task.WaitAsync(cancellationToken);
            if (count > 0)
                return count;
            Forget(host);
        }
    }

    public override async ValueTask WriteAsync(ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken = default)
    {
        await _running.Task.WaitAsync(cancellationToken);
        HostEnd? host;
        lock (_gate)
        {
            if (_ended)
                throw new IOException("the micro-VM has ended");
            host = _host;
        }

        if (host is not null && !await host.ToHost.WriteAsync(buffer, cancellationToken))
            Forget(host);
    }

    private static TaskCompletionSource NewSignal() => new(TaskCreationOptions.RunContinuationsAsynchronously);

    /// <summary>Waits for a connection; null when the micro-VM has ended.</summary>
    private async Task<HostEnd?> HostAsync(CancellationToken cancellationToken)
    {
        while (true)
        {
            Task connected;
            lock (_gate)
            {
                if (_ended || _host is not null)
                    return _ended ? null : _host;
                connected = _connected.Task;
            }

            await connected.WaitAsync(cancellationToken);
        }
    }

    private void Forget(HostEnd host)
    {
        lock (_gate)
        {
            if (_host != host || _ended)
                return;
            _host = null;
            _connected = NewSignal();
        }
    }
}
