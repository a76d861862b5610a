namespace Candela.Vmm.Virtio.Queue;

/// <summary>What <see cref="Virtqueue.TryPop"/> found.</summary>
internal enum PopResult
{
    /// <summary>The driver has made nothing available.</summary>
    Empty,

    /// <summary>A request.</summary>
    Chain,

    /// <summary>The driver broke the rules; the queue cannot go on until the device is reset.</summary>
    Malformed,
}
