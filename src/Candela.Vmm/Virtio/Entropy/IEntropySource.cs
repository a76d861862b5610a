namespace Candela.Vmm.Virtio.Entropy;

/// <summary>Where random bytes come from.</summary>
internal interface IEntropySource
{
    /// <summary>Fills a buffer.</summary>
    void Fill(Span<byte> target);
}
