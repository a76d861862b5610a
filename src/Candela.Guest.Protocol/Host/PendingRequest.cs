using System.IO.Pipelines;

namespace Candela.Guest.Protocol.Host;

/// <summary>A request that has no answer yet.</summary>
internal sealed class PendingRequest
{
    private readonly TaskCompletionSource<byte[]> _reply = new(TaskCreationOptions.RunContinuationsAsynchronously);

    /// <summary>Archive data on its way to the caller; bounded by the credit that the host grants.</summary>
    public Pipe? Down { get; init; }

    /// <summary>What may be sent of an archive.</summary>
    public Credit? Up { get; init; }

    /// <summary>Bytes of archive data that the guest may still send.</summary>
    public int DownCreditBytes;

    public Task<byte[]> Reply => _reply.Task;

    public bool IsReplied => _reply.Task.IsCompleted;

    public void Complete(byte[] payload) => _reply.TrySetResult(payload);

    public void Fail(Exception reason)
    {
        _reply.TrySetException(reason);
        _ = _reply.Task.Exception;
        Up?.End(reason);
        Down?.Writer.Complete(reason);
    }
}
