namespace Candela.Vmm.Virtio.Balloon;

/// <summary>Gives memory that the guest does not use back to the host.</summary>
internal unsafe interface IMemoryReclaim
{
    /// <summary>Gives back whole pages of the guest's memory; what they hold afterwards is not defined.</summary>
    void Release(byte* start, nuint lengthBytes);
}
