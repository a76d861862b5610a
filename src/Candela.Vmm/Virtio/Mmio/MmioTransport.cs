using System.Buffers.Binary;
using Candela.Vmm.State;
using Candela.Vmm.Virtio.Queue;

namespace Candela.Vmm.Virtio.Mmio;

/// <summary>
/// The registers of one device (virtio 1.2, section 4.2): 32 bits wide and aligned, the configuration space from 0x100 on any width.
/// Accesses that the specification forbids read as zero and write nothing.
/// </summary>
internal sealed class MmioTransport : IVirtioTransport
{
    private const uint Magic = 0x74726976; // "virt" (4.2.2)
    private const uint RegisterVersion = 2; // 4.2.2
    private const uint Vendor = 0x4C444E43; // "CNDL"; any value will do
    private const uint InterruptUsed = 1, InterruptConfiguration = 2; // 4.2.2, InterruptStatus
    private const uint NoSharedMemory = uint.MaxValue; // 4.2.2: length -1 of a region that does not exist

    private readonly IInterruptLine _interrupt;
    private uint _deviceFeaturesSelect;
    private uint _driverFeaturesSelect;
    private ulong _driverFeatures;
    private uint _queueSelect;
    private uint _interruptStatus;
    private uint _configurationGeneration;
    private DeviceStatus _status;

    /// <summary>Puts a device behind registers.</summary>
    public MmioTransport(VirtioDevice device, IInterruptLine interrupt)
    {
        Device = device;
        _interrupt = interrupt;
        device.Transport = this;
    }

    /// <summary>The device behind the registers.</summary>
    public VirtioDevice Device { get; }

    /// <summary>The device status field.</summary>
    public DeviceStatus Status => _status;

    /// <summary>The guest reads.</summary>
    public void Read(uint offset, Span<byte> target)
    {
        lock (Device)
        {
            if (offset >= MmioRegister.Config)
            {
                Device.ReadConfiguration(offset - MmioRegister.Config, target);
                return;
            }

            target.Clear();
            if (target.Length == sizeof(uint) && offset % sizeof(uint) == 0)
                BinaryPrimitives.WriteUInt32LittleEndian(target, ReadRegister(offset));
        }
    }

    /// <summary>The guest writes.</summary>
    public void Write(uint offset, ReadOnlySpan<byte> source)
    {
        lock (Device)
        {
            if (offset >= MmioRegister.Config)
            {
                // Before the driver has said that it drives, it writes nothing (3.1.1).
                if ((_status & DeviceStatus.Driver) != 0)
                    Device.WriteConfiguration(offset - MmioRegister.Config, source);
            }
            else if (source.Length == sizeof(uint) && offset % sizeof(uint) == 0)
            {
                WriteRegister(offset, BinaryPrimitives.ReadUInt32LittleEndian(source));
            }
        }
    }

    /// <inheritdoc/>
    public void NotifyUsed() => Raise(InterruptUsed);

    /// <inheritdoc/>
    public void NotifyConfiguration()
    {
        _configurationGeneration++;
        if ((_status & DeviceStatus.DriverOk) != 0)
            Raise(InterruptConfiguration);
    }

    /// <inheritdoc/>
    public void NotifyNeedsReset()
    {
        _status |= DeviceStatus.NeedsReset;
        if ((_status & DeviceStatus.DriverOk) != 0)
            Raise(InterruptConfiguration);
    }

    /// <summary>Saves registers and device.</summary>
    public void Save(StateWriter state)
    {
        lock (Device)
        {
            state.U32(_deviceFeaturesSelect);
            state.U32(_driverFeaturesSelect);
            state.U64(_driverFeatures);
            state.U32(_queueSelect);
            state.U32(_interruptStatus);
            state.U32(_configurationGeneration);
            state.U32((uint)_status);
            Device.Save(state);
        }
    }

    /// <summary>Goes on as the saved device.</summary>
    /// <exception cref="StateException">The state is of another device or damaged.</exception>
    public void Load(ref StateReader state)
    {
        lock (Device)
        {
            _deviceFeaturesSelect = state.U32();
            _driverFeaturesSelect = state.U32();
            _driverFeatures = state.U64();
            _queueSelect = state.U32();
            _interruptStatus = state.U32();
            _configurationGeneration = state.U32();
            _status = (DeviceStatus)state.U32();
            Device.Load(ref state);
        }
    }

    /// <summary>Interrupts once more for what the driver has not acknowledged: the interrupt may be lost between two VMs.</summary>
    public void RepeatInterrupt()
    {
        lock (Device)
        {
            if (_interruptStatus != 0)
                _interrupt.Raise();
        }
    }

    private void Raise(uint cause)
    {
        _interruptStatus |= cause;
        _interrupt.Raise();
    }

    private Virtqueue? SelectedQueue => _queueSelect < Device.Queues.Length ? Device.Queues[(int)_queueSelect] : null;

    private uint ReadRegister(uint offset) => offset switch
    {
        MmioRegister.MagicValue => Magic,
        MmioRegister.Version => RegisterVersion,
        MmioRegister.DeviceID => Device.DeviceId,
        MmioRegister.VendorID => Vendor,
        MmioRegister.DeviceFeatures => Half(Device.OfferedFeatures, _deviceFeaturesSelect),
        MmioRegister.QueueNumMax => SelectedQueue?.SizeMaximum ?? 0u,
        MmioRegister.QueueReady => SelectedQueue is { IsReady: true } ? 1u : 0u,
        MmioRegister.InterruptStatus => _interruptStatus,
        MmioRegister.Status => (uint)_status,
        MmioRegister.SHMLenLow or MmioRegister.SHMLenHigh or MmioRegister.SHMBaseLow or MmioRegister.SHMBaseHigh => NoSharedMemory,
        MmioRegister.ConfigGeneration => _configurationGeneration,
        _ => 0, // reserved, or for writing only
    };

    private void WriteRegister(uint offset, uint value)
    {
        switch (offset)
        {
            case MmioRegister.DeviceFeaturesSel:
                _deviceFeaturesSelect = value;
                break;
            case MmioRegister.DriverFeaturesSel:
                _driverFeaturesSelect = value;
                break;
            case MmioRegister.DriverFeatures:
                // Features are settled once FEATURES_OK is set (2.2.1).
                if ((_status & DeviceStatus.FeaturesOk) == 0 && _driverFeaturesSelect <= 1)
                    _driverFeatures = WithHalf(_driverFeatures, _driverFeaturesSelect, value);
                break;
            case MmioRegister.QueueSel:
                _queueSelect = value;
                break;
            case MmioRegister.QueueNotify:
                while (value < Device.Queues.Length && Device.RunQueue((int)value))
                {
                }

                break;
            case MmioRegister.InterruptACK:
                _interruptStatus &= ~value;
                break;
            case MmioRegister.Status:
                WriteStatus((DeviceStatus)value);
                break;
            default:
                WriteQueueRegister(offset, value);
                break;
        }
    }

    private void WriteQueueRegister(uint offset, uint value)
    {
        // Queues are set up between FEATURES_OK and DRIVER_OK (3.1.1), and not while in use (4.2.2.2).
        if (SelectedQueue is not { } queue || (_status & DeviceStatus.FeaturesOk) == 0)
            return;
        if (offset == MmioRegister.QueueReady)
        {
            if (value == 0)
                queue.Disable();
            else if (value == 1 && !queue.IsReady)
                Enable(queue);
            return;
        }

        if (queue.IsReady)
            return;
        switch (offset)
        {
            case MmioRegister.QueueNum:
                queue.Size = value <= queue.SizeMaximum ? (ushort)value : (ushort)0;
                break;
            case MmioRegister.QueueDescLow:
                queue.TableAddress = WithHalf(queue.TableAddress, 0, value);
                break;
            case MmioRegister.QueueDescHigh:
                queue.TableAddress = WithHalf(queue.TableAddress, 1, value);
                break;
            case MmioRegister.QueueDriverLow:
                queue.AvailableAddress = WithHalf(queue.AvailableAddress, 0, value);
                break;
            case MmioRegister.QueueDriverHigh:
                queue.AvailableAddress = WithHalf(queue.AvailableAddress, 1, value);
                break;
            case MmioRegister.QueueDeviceLow:
                queue.UsedAddress = WithHalf(queue.UsedAddress, 0, value);
                break;
            case MmioRegister.QueueDeviceHigh:
                queue.UsedAddress = WithHalf(queue.UsedAddress, 1, value);
                break;
        }
    }

    private void Enable(Virtqueue queue)
    {
        queue.UsesEventIndex = (Device.Features & VirtioFeatures.VIRTIO_F_EVENT_IDX) != 0;
        if (!queue.TryEnable())
            NotifyNeedsReset();
    }

    private void WriteStatus(DeviceStatus value)
    {
        if (value == DeviceStatus.None)
        {
            _driverFeatures = 0;
            _deviceFeaturesSelect = _driverFeaturesSelect = _queueSelect = 0;
            _interruptStatus = 0;
            _status = DeviceStatus.None;
            Device.Reset();
            return;
        }

        // The driver does not clear bits (2.1.1), and DEVICE_NEEDS_RESET is the device's.
        DeviceStatus added = value & ~_status & ~DeviceStatus.NeedsReset;
        if ((added & DeviceStatus.FeaturesOk) != 0)
        {
            bool isAgreed = (_status & DeviceStatus.Driver) != 0 && (_driverFeatures & ~Device.OfferedFeatures) == 0 && (_driverFeatures & VirtioFeatures.VIRTIO_F_VERSION_1) != 0;
            if (isAgreed)
                Device.Features = _driverFeatures;
            else
                added &= ~DeviceStatus.FeaturesOk;
        }

        bool hasFeatures = ((_status | added) & DeviceStatus.FeaturesOk) != 0;
        if (!hasFeatures)
            added &= ~DeviceStatus.DriverOk;
        _status |= added;
        if ((added & DeviceStatus.DriverOk) != 0 && (_status & DeviceStatus.NeedsReset) == 0)
            Device.Activate();
    }

    private static uint Half(ulong value, uint select) => select switch { 0 => (uint)value, 1 => (uint)(value >> 32), _ => 0 };

    private static ulong WithHalf(ulong value, uint select, uint half) =>
        select == 0 ? (value & 0xFFFF_FFFF_0000_0000) | half : (value & 0xFFFF_FFFF) | ((ulong)half << 32);
}
