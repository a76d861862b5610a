using System.Buffers.Binary;
using System.Runtime.InteropServices;
using Candela.Network.Namespaces;
using Microsoft.Win32.SafeHandles;
using static Candela.Network.Native.Libc;

namespace Candela.Network.Netlink;

/// <summary>
/// A netlink socket of one namespace, for requests and their answers. The kernel works a request off before <c>send</c> returns, so
/// that calls are short and synchronous. Safe for use by several threads.
/// </summary>
internal sealed unsafe class NetlinkSocket : IDisposable
{
    public const int Route = 0, Netfilter = 12;
    private const int ReceiveBytes = 1 << 18;
    private const ushort NLMSG_ERROR = 2, NLMSG_DONE = 3;
    private const ushort NLM_F_ACK_TLVS = 0x200, NLM_F_CAPPED = 0x100;
    private const ushort NLMSGERR_ATTR_MSG = 1;
    private const int AnswerTimeoutMilliseconds = 30_000;

    private readonly SafeFileHandle _handle;
    private readonly Lock _gate = new();
    private readonly byte[] _received = GC.AllocateUninitializedArray<byte>(ReceiveBytes, pinned: true);
    private uint _sequence;
    private int _sendBytes = 200_000;

    /// <param name="space">Namespace.</param>
    /// <param name="protocol">NETLINK_ROUTE or NETLINK_NETFILTER.</param>
    public NetlinkSocket(NetworkNamespace space, int protocol)
    {
        _handle = space.Run(() => Own(socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, protocol), "opening a netlink socket"));
        byte* address = stackalloc byte[12];
        new Span<byte>(address, 12).Clear();
        *(ushort*)address = AF_NETLINK;
        Check(bind(_handle.Number(), address, 12), "binding a netlink socket");
        SetOption(SOL_NETLINK, NETLINK_EXT_ACK, 1, "asking for the kernel's reasons");
        SetOption(SOL_NETLINK, NETLINK_CAP_ACK, 1, "asking for short acknowledgements");
        SetOption(SOL_SOCKET, SO_RCVBUFFORCE, 8 << 20, "sizing a netlink socket");
        if (protocol == Route)
            SetOption(SOL_NETLINK, NETLINK_GET_STRICT_CHK, 1, "asking for strict dumps");
    }

    /// <summary>Gets one message of an answer, without its header.</summary>
    public delegate void MessageAction(ushort type, ReadOnlySpan<byte> body);

    /// <summary>Sends messages that each want an acknowledgement.</summary>
    /// <exception cref="NetlinkException">The first refused one. Those before and after it have taken effect.</exception>
    public void Execute(NetlinkBatch batch)
    {
        if (batch.IsEmpty)
            return;
        lock (_gate)
        {
            uint first = Send(batch);
            NetlinkException? failure = null;
            for (int open = batch.Messages.Count; open > 0;)
            {
                foreach ((uint sequence, ushort type, int at, int length) in Receive())
                {
                    uint index = sequence - first;
                    if (type != NLMSG_ERROR || index >= batch.Messages.Count)
                        continue;
                    open--;
                    failure ??= Failed(batch.Messages[(int)index], at, length);
                }
            }

            if (failure is not null)
                throw failure;
        }
    }

    /// <summary>Sends a transaction of nf_tables: no acknowledgements, errors only, all or nothing.</summary>
    /// <exception cref="NetlinkException">The first refused message; nothing took effect.</exception>
    public void ExecuteTransaction(NetlinkBatch batch)
    {
        lock (_gate)
        {
            uint first = Send(batch);
            NetlinkException? failure = null;
            while (TryReceive(MSG_DONTWAIT, out int count))
            {
                foreach ((uint sequence, ushort type, int at, int length) in Split(count))
                {
                    uint index = sequence - first;
                    if (type == NLMSG_ERROR && index < batch.Messages.Count)
                        failure ??= Failed(batch.Messages[(int)index], at, length);
                }
            }

            if (failure is not null)
                throw failure;
        }
    }

    /// <summary>Sends one request and calls back with every message of the answer.</summary>
    /// <exception cref="NetlinkException">The kernel refused.</exception>
    public void Query(NetlinkBatch batch, MessageAction action)
    {
        if (batch.Messages.Count != 1)
            throw new ArgumentException("a query is one message", nameof(batch));
        lock (_gate)
        {
            uint first = Send(batch);
            while (true)
            {
                foreach ((uint sequence, ushort type, int at, int length) in Receive())
                {
                    if (sequence != first)
                        continue;
                    if (type == NLMSG_DONE)
                        return;
                    if (type == NLMSG_ERROR)
                    {
                        if (Failed(batch.Messages[0], at, length) is { } failure)
                            throw failure;
                        return;
                    }

                    action(type, _received.AsSpan(at, length));
                }
            }
        }
    }

    /// <summary>Gives the socket away, to be received from by somebody else; this object is of no use afterwards.</summary>
    public SafeFileHandle Detach() => _handle;

    public void Dispose() => _handle.Dispose();

    private void SetOption(int level, int name, int value, string what) => Check(setsockopt(_handle.Number(), level, name, &value, 4), what);

    private uint Send(NetlinkBatch batch)
    {
        Span<byte> bytes = batch.MutableBytes;
        uint first = _sequence + 1;
        for (int at = 0; at < bytes.Length;)
        {
            int length = BinaryPrimitives.ReadInt32LittleEndian(bytes[at..]);
            BinaryPrimitives.WriteUInt32LittleEndian(bytes[(at + 8)..], ++_sequence);
            at += NetlinkBatch.Align(length);
        }

        // A transaction is one datagram, and the kernel charges more than its length.
        if (bytes.Length > _sendBytes)
        {
            _sendBytes = bytes.Length + (bytes.Length >> 1);
            SetOption(SOL_SOCKET, SO_SNDBUFFORCE, _sendBytes, "sizing a netlink socket");
        }

        fixed (byte* data = bytes)
        {
            while (send(_handle.Number(), data, (nuint)bytes.Length, 0) < 0)
            {
                if (Marshal.GetLastPInvokeError() != EINTR)
                    throw Failure(batch.Messages[0].What);
            }
        }

        return first;
    }

    private List<(uint Sequence, ushort Type, int At, int Length)> Receive()
    {
        var descriptor = new Pollfd { Descriptor = _handle.Number(), Events = POLLIN };
        int ready = poll(&descriptor, 1, AnswerTimeoutMilliseconds);
        if (ready == 0)
            throw new TimeoutException("the kernel does not answer on a netlink socket");
        return TryReceive(0, out int count) ? Split(count) : [];
    }

    private bool TryReceive(int flags, out int count)
    {
        fixed (byte* buffer = _received)
        {
            count = (int)recv(_handle.Number(), buffer, (nuint)_received.Length, flags | MSG_TRUNC);
        }

        if (count > _received.Length)
            throw new IOException($"a netlink message of {count} bytes is larger than the buffer of {_received.Length}");
        if (count >= 0)
            return true;
        return Marshal.GetLastPInvokeError() is EAGAIN or EINTR ? false : throw Failure("receiving from a netlink socket");
    }

    private List<(uint Sequence, ushort Type, int At, int Length)> Split(int count)
    {
        var messages = new List<(uint, ushort, int, int)>();
        ReadOnlySpan<byte> bytes = _received.AsSpan(0, count);
        for (int at = 0; at + 16 <= count;)
        {
            int length = BinaryPrimitives.ReadInt32LittleEndian(bytes[at..]);
            if (length < 16 || length > count - at)
                break;
            ushort type = BinaryPrimitives.ReadUInt16LittleEndian(bytes[(at + 4)..]);
            messages.Add((BinaryPrimitives.ReadUInt32LittleEndian(bytes[(at + 8)..]), type, at + 16, length - 16));
            at += NetlinkBatch.Align(length);
        }

        return messages;
    }

    private NetlinkException? Failed(NetlinkBatch.Message message, int at, int length)
    {
        ReadOnlySpan<byte> body = _received.AsSpan(at, length);
        int errno = length >= 4 ? -BinaryPrimitives.ReadInt32LittleEndian(body) : EINVAL;
        if (errno == 0 || message.Tolerated.Contains(errno))
            return null;
        ushort flags = BinaryPrimitives.ReadUInt16LittleEndian(_received.AsSpan(at - 10));
        return new NetlinkException(message.What, errno, (flags & NLM_F_ACK_TLVS) != 0 ? Reason(body, flags) : null);
    }

    private static string? Reason(ReadOnlySpan<byte> body, ushort flags)
    {
        // struct nlmsgerr: the error, the header of the message and, unless capped, the message itself.
        int original = body.Length >= 8 ? BinaryPrimitives.ReadInt32LittleEndian(body[4..]) : 0;
        int skip = 4 + ((flags & NLM_F_CAPPED) != 0 ? 16 : NetlinkBatch.Align(original));
        if (skip > body.Length)
            return null;
        var attributes = new NetlinkAttributes(body[skip..]);
        while (attributes.Next())
        {
            if (attributes.Type == NLMSGERR_ATTR_MSG)
                return attributes.Text;
        }

        return null;
    }
}
