using Candela.Vmm.Native;

namespace Candela.Vmm.Virtio.Net;

/// <summary>Where a network device's frames go to and come from, each after a struct virtio_net_hdr. Never blocks.</summary>
internal interface INetBackend
{
    /// <summary>Takes the next frame: its length with the header, 0 when there is none now.</summary>
    int Receive(Span<byte> frame);

    /// <summary>Sends a frame; what there is no room for is dropped, as on any network.</summary>
    void Send(ReadOnlySpan<IoVector> frame);

    /// <summary>Says which unfinished frames the guest takes: without checksums, larger than the MTU for IPv4 and IPv6.</summary>
    void SetOffloads(bool checksum, bool largeIpv4, bool largeIpv6);
}
