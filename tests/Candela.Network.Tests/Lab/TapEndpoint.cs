using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using System.Runtime.InteropServices;
using Candela.Network.Plan;
using Microsoft.Win32.SafeHandles;

namespace Candela.Network.Tests.Lab;

/// <summary>
/// A container's end of a tap, played by the test. The kernel takes a frame through bridge and firewall before the write returns, so
/// that what another end was sent can be read at once; only on a busy host it may leave the rest to a kernel thread (ksoftirqd).
/// </summary>
internal sealed partial class TapEndpoint(PortSpec port, SafeFileHandle tap) : IDisposable
{
    private const int HeaderBytes = 12; // struct virtio_net_hdr_v1
    private const short PollIn = 1;
    private const int PollMilliseconds = 100;
    private static readonly TimeSpan s_patience = TimeSpan.FromSeconds(10);

    public PortSpec Port { get; } = port;

    public SafeFileHandle Descriptor => tap;

    public void Send(byte[] frame)
    {
        byte[] packet = new byte[HeaderBytes + frame.Length];
        frame.CopyTo(packet, HeaderBytes);
        Assert.Equal(packet.Length, write(tap, packet, (nuint)packet.Length));
    }

    /// <summary>All frames that came since the last call.</summary>
    public List<byte[]> Receive()
    {
        var frames = new List<byte[]>();
        byte[] buffer = new byte[70_000];
        while (true)
        {
            nint count = read(tap, buffer, (nuint)buffer.Length);
            if (count < 0)
                return frames; // EAGAIN: nothing more
            frames.Add(buffer[HeaderBytes..(int)count]);
        }
    }

    /// <summary>Sends a frame and says whether another end got it.</summary>
    public bool Reaches(TapEndpoint other, byte[] frame)
    {
        other.Receive();
        Send(frame);
        return other.Receive().Any(f => SamePayload(f, frame));
    }

    /// <summary>Sends a frame that another end must get: what is late on a busy host is waited for, what is lost is lost.</summary>
    public bool ReachesInTime(TapEndpoint other, byte[] frame)
    {
        if (Reaches(other, frame))
            return true;
        long begun = Stopwatch.GetTimestamp();
        while (Stopwatch.GetElapsedTime(begun) < s_patience)
        {
            var descriptor = new PollDescriptor { Number = (int)other.Descriptor.DangerousGetHandle(), Events = PollIn };
            _ = poll(ref descriptor, 1, PollMilliseconds);
            if (other.Receive().Any(f => SamePayload(f, frame)))
                return true;
        }

        return false;
    }

    /// <summary>A packet from this port to another address of the segment's or beyond the gateway.</summary>
    public byte[] Packet(MacAddress to, IPAddress destination, Protocol protocol, byte[] payload) =>
        Frames.Ip(Port.Mac, to, destination.AddressFamily == AddressFamily.InterNetworkV6 ? Port.Ipv6! : Port.Ipv4!, destination, protocol, payload);

    public void Dispose() => tap.Dispose();

    // A router changes the hop limit and checksum, nothing behind the IP header.
    private static bool SamePayload(byte[] received, byte[] sent)
    {
        int header = Frames.EthernetBytes + (sent[12] == 0x86 ? 40 : sent is [_, _, _, _, _, _, _, _, _, _, _, _, 8, 0, ..] ? 20 : 0);
        return received.AsSpan(12, 2).SequenceEqual(sent.AsSpan(12, 2)) && received.Length > header && sent.AsSpan(header).StartsWith(received.AsSpan(header));
    }

    // struct pollfd
    private struct PollDescriptor
    {
        public int Number;
        public short Events, ReturnedEvents;
    }

    [LibraryImport("libc", SetLastError = true)]
    private static partial int poll(ref PollDescriptor descriptors, nuint count, int milliseconds);

    [LibraryImport("libc", SetLastError = true)]
    private static partial nint read(SafeFileHandle handle, byte[] buffer, nuint length);

    [LibraryImport("libc", SetLastError = true)]
    private static partial nint write(SafeFileHandle handle, byte[] buffer, nuint length);
}
