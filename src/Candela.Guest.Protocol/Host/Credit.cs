namespace Candela.Guest.Protocol.Host;

/// <summary>Bytes that may be sent before the receiver grants more.</summary>
internal sealed class Credit(int windowBytes, int availableBytes)
{
    private readonly Lock _gate = new();
    private int _available = availableBytes;
    private Exception? _end;
    private TaskCompletionSource? _waiting;

    /// <summary>Takes between 1 and <paramref name="most"/> bytes, waiting until there is at least one.</summary>
    public async ValueTask<int> TakeAsync(int most, CancellationToken cancellationToken)
    {
        while (true)
        {
            Task wait;
            lock (_gate)
            {
                if (_end is not null)
                    throw _end;
                if (_available > 0)
                {
                    var taken = Math.Min(most, _available);
                    _available -= taken;
                    return taken;
                }
                wait = (_waiting ??= new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously)).Task;
            }
            await wait.WaitAsync(cancellationToken);
        }
    }

    /// <summary>False: more than the window was granted.</summary>
    public bool Grant(ulong bytes)
    {
        lock (_gate)
        {
            if (bytes > (ulong)(windowBytes - _available))
                return false;
            _available += (int)bytes;
            Wake();
            return true;
        }
    }

    /// <summary>Nothing will be taken any more; who waits fails with <paramref name="reason"/>.</summary>
    public void End(Exception reason)
    {
        lock (_gate)
        {
            _end ??= reason;
            Wake();
        }
    }

    private void Wake()
    {
        _waiting?.TrySetResult();
        _waiting = null;
    }
}
