using System.Runtime.InteropServices;
using Candela.Vmm.Memory;

namespace Candela.Vmm.Tests.Support;

/// <summary>A guest's memory with walls of known bytes around it, which <see cref="Dispose"/> checks.</summary>
internal sealed unsafe class TestMemory : IDisposable
{
    private const int WallBytes = 4096;
    private const byte Brick = 0xA5;
    private readonly byte* _start;
    private readonly int _sizeBytes;

    public TestMemory(int sizeBytes = 1 << 20)
    {
        _sizeBytes = sizeBytes;
        _start = (byte*)NativeMemory.AlignedAlloc((nuint)(sizeBytes + 2 * WallBytes), 4096);
        new Span<byte>(_start, sizeBytes + 2 * WallBytes).Fill(Brick);
        new Span<byte>(_start + WallBytes, sizeBytes).Clear();
        Memory = new GuestMemory(_start + WallBytes, (ulong)sizeBytes);
    }

    public GuestMemory Memory { get; }

    public Span<byte> Bytes => new(_start + WallBytes, _sizeBytes);

    public bool WallsStand =>
        !new ReadOnlySpan<byte>(_start, WallBytes).ContainsAnyExcept(Brick) && !new ReadOnlySpan<byte>(_start + WallBytes + _sizeBytes, WallBytes).ContainsAnyExcept(Brick);

    public void Dispose()
    {
        Assert.True(WallsStand, "a device wrote outside of the guest's memory");
        NativeMemory.AlignedFree(_start);
    }
}
