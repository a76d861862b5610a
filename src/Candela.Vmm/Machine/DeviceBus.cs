using System.Buffers.Binary;
using Candela.Vmm.Acpi;
using Candela.Vmm.Kvm;
using Candela.Vmm.Legacy;
using Candela.Vmm.Virtio.Mmio;

namespace Candela.Vmm.Machine;

/// <summary>Leads the guest's accesses to the device that has the address.</summary>
internal sealed class DeviceBus(IoApic ioApic, Serial8250 serial, MmioTransport[] devices) : IExitHandler
{
    /// <inheritdoc/>
    public void ReadPort(ushort port, Span<byte> target)
    {
        target.Fill(0xff);
        if (target.Length != 1)
            return;
        if (port is >= Serial8250.PortBase and < Serial8250.PortBase + Serial8250.PortCount)
            target[0] = serial.Read(port - Serial8250.PortBase);
        else if (port is KeyboardController.CommandPort or KeyboardController.DataPort)
            target[0] = KeyboardController.Read();
    }

    /// <inheritdoc/>
    public bool WritePort(ushort port, ReadOnlySpan<byte> source)
    {
        if (source.Length != 1)
            return true;
        if (port is >= Serial8250.PortBase and < Serial8250.PortBase + Serial8250.PortCount)
            serial.Write(port - Serial8250.PortBase, source[0]);
        return !KeyboardController.IsReset(port, source[0]);
    }

    /// <inheritdoc/>
    public void ReadMemory(ulong address, Span<byte> target)
    {
        if (TryFind(address, out MmioTransport? device, out uint offset))
        {
            device.Read(offset, target);
            return;
        }

        target.Fill(0xff);
        if (IsIoApic(address) && target.Length == sizeof(uint))
            BinaryPrimitives.WriteUInt32LittleEndian(target, ioApic.Read((uint)(address - Platform.IoApicAddress)));
    }

    /// <inheritdoc/>
    public void WriteMemory(ulong address, ReadOnlySpan<byte> source)
    {
        if (TryFind(address, out MmioTransport? device, out uint offset))
            device.Write(offset, source);
        else if (IsIoApic(address) && source.Length == sizeof(uint))
            ioApic.Write((uint)(address - Platform.IoApicAddress), BinaryPrimitives.ReadUInt32LittleEndian(source));
    }

    private static bool IsIoApic(ulong address) => address is >= Platform.IoApicAddress and < Platform.IoApicAddress + IoApic.WindowBytes;

    private bool TryFind(ulong address, [System.Diagnostics.CodeAnalysis.NotNullWhen(true)] out MmioTransport? device, out uint offset)
    {
        ulong distance = address - Platform.VirtioAddress;
        offset = (uint)(distance % Platform.VirtioStride);
        bool isThere = address >= Platform.VirtioAddress && distance / Platform.VirtioStride < (ulong)devices.Length && offset < MmioRegister.WindowBytes;
        device = isThere ? devices[distance / Platform.VirtioStride] : null;
        return isThere;
    }
}
