namespace Candela.Vmm.Memory;

/// <summary>
/// The guest's physical memory, mapped once at one host address: below 3 GiB, and above 4 GiB what does not fit there, so that devices
/// and the interrupt controllers have the addresses between. Every access of a device to it is checked here. The guest may change what
/// is there at any time: read a value once, check the copy, use the copy.
/// </summary>
internal sealed unsafe class GuestMemory
{
    /// <summary>Guest physical address where low memory ends at the latest and the addresses of devices begin.</summary>
    public const ulong DeviceHoleStart = 0xC000_0000;

    /// <summary>Guest physical address where memory goes on.</summary>
    public const ulong HighStart = 1UL << 32;

    private readonly byte* _host;

    /// <summary>Memory at a host address that stays mapped, readable and writable, as long as this object is used.</summary>
    /// <param name="host">Start of the mapping.</param>
    /// <param name="sizeBytes">Size, above zero.</param>
    public GuestMemory(byte* host, ulong sizeBytes)
    {
        ArgumentOutOfRangeException.ThrowIfZero(sizeBytes);
        _host = host;
        SizeBytes = sizeBytes;
        LowBytes = Math.Min(sizeBytes, DeviceHoleStart);
    }

    /// <summary>All of it.</summary>
    public ulong SizeBytes { get; }

    /// <summary>What lies from address 0 on.</summary>
    public ulong LowBytes { get; }

    /// <summary>What lies from <see cref="HighStart"/> on.</summary>
    public ulong HighBytes => SizeBytes - LowBytes;

    /// <summary>Start of the host's mapping; <see cref="HighStart"/> follows at offset <see cref="LowBytes"/>.</summary>
    public byte* Host => _host;

    /// <summary>The host address of a range of guest physical addresses; false when any byte of it is not memory.</summary>
    public bool TryTranslate(ulong address, ulong lengthBytes, out byte* host)
    {
        if (address < LowBytes)
        {
            host = _host + address;
            return lengthBytes <= LowBytes - address;
        }

        ulong offset = address - HighStart;
        if (address >= HighStart && offset < HighBytes)
        {
            host = _host + LowBytes + offset;
            return lengthBytes <= HighBytes - offset;
        }

        host = null;
        return false;
    }

    /// <summary>Whether a range is memory.</summary>
    public bool Contains(ulong address, ulong lengthBytes) => TryTranslate(address, lengthBytes, out _);

    /// <summary>A range as a span; false when any byte of it is not memory or it is longer than a span can be.</summary>
    public bool TrySpan(ulong address, ulong lengthBytes, out Span<byte> span)
    {
        if (lengthBytes <= int.MaxValue && TryTranslate(address, lengthBytes, out byte* host))
        {
            span = new Span<byte>(host, (int)lengthBytes);
            return true;
        }

        span = default;
        return false;
    }

    /// <summary>A range that the VMM itself chose, for what it lays out before the guest runs.</summary>
    /// <exception cref="ArgumentOutOfRangeException">It is not memory.</exception>
    public Span<byte> Span(ulong address, int lengthBytes) =>
        TrySpan(address, (ulong)lengthBytes, out Span<byte> span) ? span : throw new ArgumentOutOfRangeException(nameof(address), $"{address:x} for {lengthBytes} bytes is not guest memory");
}
