using System.Buffers.Binary;
using Candela.Vmm.Memory;
using Candela.Vmm.Native;
using Candela.Vmm.State;
using Candela.Vmm.Virtio.Queue;

namespace Candela.Vmm.Virtio.Console;

/// <summary>
/// The agent's channel: a console device (virtio 1.2, section 5.3) with one named port. What the guest writes while no host is connected is
/// dropped; what the host writes waits until the guest has opened the port and given buffers.
/// </summary>
internal sealed class ConsoleDevice : VirtioDevice
{
    private const ushort QueueSize = 128;
    private const uint Port = 0;

    private readonly DescriptorChain _chain = new(QueueSize);
    private readonly IoVector[] _buffers = GC.AllocateArray<IoVector>(QueueSize, pinned: true);
    private readonly byte[] _name;
    private IHostStream? _host;

    // What the guest must still be told; sent as soon as it gives buffers for it.
    private bool _owesAdd;
    private bool _owesName;
    private bool _owesClose;
    private bool _isPortReady;
    private bool _isGuestOpen;

    // What the guest was told last of the host's being connected.
    private bool _isAnnounced;

    // Bytes of the next transmit chain that the host has already.
    private uint _sentBytes;

    /// <summary>A device with a port of this name, at most 64 bytes of ASCII.</summary>
    public ConsoleDevice(GuestMemory memory, ReadOnlySpan<byte> name)
        : base(memory, QueueSize, QueueSize, QueueSize, QueueSize)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThan(name.Length, 64);
        _name = name.ToArray();
    }

    /// <inheritdoc/>
    public override uint DeviceId => ConsoleBits.VIRTIO_ID_CONSOLE;

    /// <summary>Whether the guest has the port open.</summary>
    public bool IsGuestOpen => _isGuestOpen;

    /// <inheritdoc/>
    protected override ulong TypeFeatures => ConsoleBits.VIRTIO_CONSOLE_F_MULTIPORT;

    /// <summary>A host has connected; a former one is forgotten. Under the device's lock.</summary>
    public void Connect(IHostStream host)
    {
        Disconnect();
        _host = host;
        PumpAll();
    }

    /// <summary>The host has hung up. Under the device's lock.</summary>
    public void Disconnect()
    {
        if (_host is null)
            return;
        _host = null;
        _owesClose |= _isAnnounced;
        PumpAll();
    }

    /// <summary>The host's end may be readable or writable again: moves what can be moved. False: there is no host any more. Under the device's lock.</summary>
    public bool Pump()
    {
        PumpAll();
        return _host is not null;
    }

    /// <inheritdoc/>
    public override void ReadConfiguration(uint offset, Span<byte> target)
    {
        Span<byte> configuration = stackalloc byte[ConsoleBits.ConfigurationBytes];
        configuration.Clear();
        BinaryPrimitives.WriteUInt32LittleEndian(configuration[ConsoleBits.MaxPortsAt..], 1);
        target.Clear();
        if (offset < ConsoleBits.ConfigurationBytes)
            configuration.Slice((int)offset, Math.Min(target.Length, ConsoleBits.ConfigurationBytes - (int)offset)).CopyTo(target);
    }

    /// <inheritdoc/>
    protected override void ProcessQueue(int index)
    {
        switch (index)
        {
            case ConsoleBits.ReceiveQueue:
                Receive();
                break;
            case ConsoleBits.TransmitQueue:
                Transmit();
                break;
            case ConsoleBits.ControlReceiveQueue:
                SendControl();
                break;
            case ConsoleBits.ControlTransmitQueue:
                HandleControl();
                break;
        }
    }

    /// <inheritdoc/>
    protected override void OnReset()
    {
        _owesAdd = _owesName = _owesClose = _isPortReady = _isGuestOpen = _isAnnounced = false;
        _sentBytes = 0;
    }

    /// <inheritdoc/>
    protected override void SaveOwn(StateWriter state)
    {
        state.Flag(_owesAdd);
        state.Flag(_owesName);
        state.Flag(_owesClose);
        state.Flag(_isPortReady);
        state.Flag(_isGuestOpen);
        state.Flag(_isAnnounced);
    }

    /// <inheritdoc/>
    protected override void LoadOwn(ref StateReader state)
    {
        _owesAdd = state.Flag();
        _owesName = state.Flag();
        _owesClose = state.Flag();
        _isPortReady = state.Flag();
        _isGuestOpen = state.Flag();
        _isAnnounced = state.Flag();
        // The former host is not this one: a frame that it got half of is sent whole.
        _sentBytes = 0;
        _owesClose |= _isAnnounced;
    }

    private void PumpAll()
    {
        for (int queue = 0; queue < ConsoleBits.QueueCount; queue++)
        {
            while (RunQueue(queue))
            {
            }
        }
    }

    private void Receive()
    {
        // A guest that closed the port, or has not heard that a host is there, gets nothing.
        while (_host is not null && _isGuestOpen && _isAnnounced && !_owesClose && TryPop(ConsoleBits.ReceiveQueue, _chain))
        {
            if (_chain.WritableBytes == 0)
            {
                Queues[ConsoleBits.ReceiveQueue].Push(_chain.Head, 0);
                continue;
            }

            int count = _host.Read(_chain.Writable);
            if (count > 0)
            {
                Queues[ConsoleBits.ReceiveQueue].Push(_chain.Head, (uint)count);
                continue;
            }

            Queues[ConsoleBits.ReceiveQueue].UndoPop();
            if (count < 0)
                HangUp();
            break;
        }

        SignalUsed(ConsoleBits.ReceiveQueue);
    }

    private void Transmit()
    {
        while (TryPop(ConsoleBits.TransmitQueue, _chain))
        {
            while (_host is not null && _sentBytes < _chain.ReadableBytes)
            {
                int buffers = DescriptorChain.Slice(_chain.Readable, _sentBytes, int.MaxValue, _buffers);
                int count = _host.Write(_buffers.AsSpan(0, buffers));
                if (count < 0)
                {
                    HangUp();
                }
                else if (count == 0)
                {
                    Queues[ConsoleBits.TransmitQueue].UndoPop();
                    SignalUsed(ConsoleBits.TransmitQueue);
                    return;
                }
                else
                {
                    _sentBytes += (uint)count;
                }
            }

            _sentBytes = 0;
            Queues[ConsoleBits.TransmitQueue].Push(_chain.Head, 0);
        }

        SignalUsed(ConsoleBits.TransmitQueue);
    }

    private void HangUp()
    {
        _host = null;
        _owesClose |= _isAnnounced;
        SendControl();
    }

    private void HandleControl()
    {
        Span<byte> message = stackalloc byte[ConsoleBits.ControlBytes];
        while (TryPop(ConsoleBits.ControlTransmitQueue, _chain))
        {
            bool isWhole = _chain.CopyFrom(0, message) == message.Length;
            Queues[ConsoleBits.ControlTransmitQueue].Push(_chain.Head, 0);
            if (isWhole)
                HandleControl(BinaryPrimitives.ReadUInt32LittleEndian(message), BinaryPrimitives.ReadUInt16LittleEndian(message[4..]), BinaryPrimitives.ReadUInt16LittleEndian(message[6..]));
        }

        SignalUsed(ConsoleBits.ControlTransmitQueue);
        SendControl();
        // What the host sent may have waited for the port to be opened.
        Receive();
    }

    private void HandleControl(uint port, ushort what, ushort value)
    {
        switch (what)
        {
            case ConsoleBits.VIRTIO_CONSOLE_DEVICE_READY when value == 1:
                _owesAdd = true;
                break;
            case ConsoleBits.VIRTIO_CONSOLE_PORT_READY when port == Port && value == 1:
                _isPortReady = true;
                _owesName = true;
                break;
            case ConsoleBits.VIRTIO_CONSOLE_PORT_OPEN when port == Port:
                _isGuestOpen = value == 1;
                break;
        }
    }

    private void SendControl()
    {
        if (_owesAdd && TrySend(ConsoleBits.VIRTIO_CONSOLE_DEVICE_ADD, 1, default))
            _owesAdd = false;
        if (_owesName && TrySend(ConsoleBits.VIRTIO_CONSOLE_PORT_NAME, 1, _name))
            _owesName = false;
        if (_owesClose && TrySend(ConsoleBits.VIRTIO_CONSOLE_PORT_OPEN, 0, default))
            _owesClose = _isAnnounced = false;
        if (_isPortReady && !_owesName && _host is not null && !_isAnnounced && TrySend(ConsoleBits.VIRTIO_CONSOLE_PORT_OPEN, 1, default))
            _isAnnounced = true;
        SignalUsed(ConsoleBits.ControlReceiveQueue);
    }

    private bool TrySend(ushort what, ushort value, ReadOnlySpan<byte> name)
    {
        if (!TryPop(ConsoleBits.ControlReceiveQueue, _chain))
            return false;
        Span<byte> message = stackalloc byte[ConsoleBits.ControlBytes];
        BinaryPrimitives.WriteUInt32LittleEndian(message, Port);
        BinaryPrimitives.WriteUInt16LittleEndian(message[4..], what);
        BinaryPrimitives.WriteUInt16LittleEndian(message[6..], value);
        int written = _chain.CopyTo(0, message);
        written += _chain.CopyTo((uint)message.Length, name);
        Queues[ConsoleBits.ControlReceiveQueue].Push(_chain.Head, (uint)written);
        return true;
    }
}
