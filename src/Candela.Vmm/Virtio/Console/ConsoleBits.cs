namespace Candela.Vmm.Virtio.Console;

/// <summary>Constants of the console device (virtio 1.2, section 5.3).</summary>
internal static class ConsoleBits
{
    public const uint VIRTIO_ID_CONSOLE = 3; // 5.3.1

    /// <summary>Several named ports, and the control queues (5.3.3).</summary>
    public const ulong VIRTIO_CONSOLE_F_MULTIPORT = 1UL << 1;

    // Queues (5.3.2).
    public const int ReceiveQueue = 0;
    public const int TransmitQueue = 1;
    public const int ControlReceiveQueue = 2;
    public const int ControlTransmitQueue = 3;
    public const int QueueCount = 4;

    // Events of control messages (5.3.6.2).
    public const ushort VIRTIO_CONSOLE_DEVICE_READY = 0;
    public const ushort VIRTIO_CONSOLE_DEVICE_ADD = 1;
    public const ushort VIRTIO_CONSOLE_PORT_READY = 3;
    public const ushort VIRTIO_CONSOLE_PORT_OPEN = 6;
    public const ushort VIRTIO_CONSOLE_PORT_NAME = 7;

    /// <summary>struct virtio_console_control: id, event, value (5.3.6.2).</summary>
    public const int ControlBytes = 8;

    /// <summary>Offset of max_nr_ports in the configuration (5.3.4).</summary>
    public const int MaxPortsAt = 4;

    /// <summary>cols, rows, max_nr_ports, emerg_wr (5.3.4).</summary>
    public const int ConfigurationBytes = 12;
}
