using Candela.Vmm.Acpi;
using Candela.Vmm.State;

namespace Candela.Vmm.Kvm;

/// <summary>
/// The I/O APIC (82093AA data sheet): registers only. Each pin that is not masked becomes a route by which KVM delivers that pin's
/// interrupt without leaving the kernel. All devices are edge-triggered, so that no end of interrupt needs to be seen.
/// </summary>
internal sealed class IoApic(IInterruptRouter router)
{
    /// <summary>Bytes of its window.</summary>
    public const uint WindowBytes = 0x20;

    // 3.1 and 3.2
    private const uint SelectOffset = 0x00, WindowOffset = 0x10;
    private const byte IdRegister = 0, VersionRegister = 1, ArbitrationRegister = 2, FirstRedirection = 0x10;
    private const uint Version = 0x11 | (Platform.IoApicPins - 1) << 16;
    private const uint IdMask = 0x0f00_0000;

    // Redirection entry (3.2.4).
    private const ulong Masked = 1UL << 16;
    private const ulong LevelTriggered = 1UL << 15;
    private const ulong LogicalDestination = 1UL << 11;
    private const ulong ReadOnlyBits = 1UL << 12 | 1UL << 14;
    private const ulong Defined = 0xff00_0000_0001_ffff;

    private readonly Lock _lock = new();
    private readonly ulong[] _entries = NewEntries();
    private readonly InterruptRoute[] _routes = new InterruptRoute[Platform.IoApicPins];
    private uint _id;
    private byte _select;

    /// <summary>The guest reads at an offset.</summary>
    public uint Read(uint offset)
    {
        lock (_lock)
        {
            if (offset == SelectOffset)
                return _select;
            if (offset != WindowOffset)
                return 0;
            if (_select >= FirstRedirection && _select < FirstRedirection + 2 * Platform.IoApicPins)
            {
                ulong entry = _entries[(_select - FirstRedirection) / 2];
                return (_select & 1) == 0 ? (uint)entry : (uint)(entry >> 32);
            }

            return _select switch { IdRegister => _id, VersionRegister => Version, ArbitrationRegister => _id, _ => 0 };
        }
    }

    /// <summary>The guest writes at an offset.</summary>
    public void Write(uint offset, uint value)
    {
        lock (_lock)
        {
            if (offset == SelectOffset)
                _select = (byte)value;
            else if (offset == WindowOffset)
                WriteRegister(value);
        }
    }

    /// <summary>Saves the registers.</summary>
    public void Save(StateWriter state)
    {
        lock (_lock)
        {
            state.U32(_id);
            state.U8(_select);
            foreach (ulong entry in _entries)
                state.U64(entry);
        }
    }

    /// <summary>Takes saved registers and sets the routes.</summary>
    public void Load(ref StateReader state)
    {
        lock (_lock)
        {
            _id = state.U32() & IdMask;
            _select = state.U8();
            for (int i = 0; i < _entries.Length; i++)
                _entries[i] = state.U64() & Defined & ~ReadOnlyBits;
            SetRoutes();
        }
    }

    private void WriteRegister(uint value)
    {
        if (_select == IdRegister)
        {
            _id = value & IdMask;
        }
        else if (_select >= FirstRedirection && _select < FirstRedirection + 2 * Platform.IoApicPins)
        {
            ref ulong entry = ref _entries[(_select - FirstRedirection) / 2];
            ulong former = entry;
            entry = (_select & 1) == 0 ? (entry & 0xffff_ffff_0000_0000) | value : (entry & 0xffff_ffff) | (ulong)value << 32;
            entry &= Defined & ~ReadOnlyBits;
            // What is masked before and after sends nothing either way.
            if (entry != former && (entry & former & Masked) == 0)
                SetRoutes();
        }
    }

    private void SetRoutes()
    {
        int count = 0;
        for (int pin = 0; pin < _entries.Length; pin++)
        {
            ulong entry = _entries[pin];
            if ((entry & Masked) != 0)
                continue;
            uint address = Platform.LocalApicAddress | (uint)(entry >> 56) << 12 | ((entry & LogicalDestination) != 0 ? 4u : 0);
            uint data = (uint)(entry & 0x7ff) | ((entry & LevelTriggered) != 0 ? 1u << 15 : 0) | 1u << 14;
            _routes[count++] = new InterruptRoute(pin, address, data);
        }

        router.SetRoutes(_routes.AsSpan(0, count));
    }

    private static ulong[] NewEntries()
    {
        ulong[] entries = new ulong[Platform.IoApicPins];
        Array.Fill(entries, Masked);
        return entries;
    }
}
