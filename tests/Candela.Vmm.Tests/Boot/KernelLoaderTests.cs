using System.Buffers.Binary;
using Candela.Vmm.Boot;
using Candela.Vmm.Tests.Support;

namespace Candela.Vmm.Tests.Boot;

public sealed class KernelLoaderTests : IDisposable
{
    private const int MemoryBytes = 32 << 20;
    private readonly TestMemory _memory = new(MemoryBytes);

    public void Dispose() => _memory.Dispose();

    private BootEntry Load(byte[] kernel, byte[]? initramfs = null, string line = "quiet") =>
        KernelLoader.Load(_memory.Memory, kernel, initramfs ?? [], System.Text.Encoding.ASCII.GetBytes(line));

    private void AssertRefused(string reason, byte[] kernel, byte[]? initramfs = null, string line = "quiet") =>
        Assert.Contains(reason, Assert.Throws<BootException>(() => Load(kernel, initramfs, line)).Message, StringComparison.Ordinal);

    private ulong U64(ulong at) => BinaryPrimitives.ReadUInt64LittleEndian(_memory.Memory.Span(at, 8));

    private uint U32(ulong at) => BinaryPrimitives.ReadUInt32LittleEndian(_memory.Memory.Span(at, 4));

    [Fact]
    public void A_bzImage_is_entered_in_64_bit_mode_with_a_zero_page()
    {
        byte[] initramfs = new byte[5000];
        Random.Shared.NextBytes(initramfs);

        Assert.Equal(new BootEntry(0x10_0200, BootLayout.ZeroPageAddress, true), Load(KernelImages.BzImage(), initramfs));

        Assert.Equal(KernelImages.CodeBytes, _memory.Memory.Span(0x10_0000, KernelImages.CodeBytes).Count((byte)0x90));
        ulong zero = BootLayout.ZeroPageAddress;
        Assert.Equal(0xff, _memory.Memory.Span(zero + 0x210, 1)[0]);
        Assert.Equal(5000u, U32(zero + 0x21c));
        Assert.Equal(initramfs, _memory.Memory.Span(U32(zero + 0x218), 5000).ToArray());
        Assert.Equal("quiet\0"u8.ToArray(), _memory.Memory.Span(U32(zero + 0x228), 6).ToArray());
        Assert.Equal(3, _memory.Memory.Span(zero + 0x1e8, 1)[0]);
        Assert.Equal((0x10_0000ul, (ulong)MemoryBytes - 0x10_0000, 1u), (U64(zero + 0x2d0 + 40), U64(zero + 0x2d0 + 48), U32(zero + 0x2d0 + 56)));
    }

    [Fact]
    public void An_ELF_kernel_is_entered_by_PVH_with_start_info()
    {
        Assert.Equal(new BootEntry(0x20_0000, BootLayout.StartInfoAddress, false), Load(KernelImages.Elf(), [1, 2, 3]));

        ulong info = BootLayout.StartInfoAddress;
        Assert.Equal((0x336ec578u, 1u, 1u), (U32(info), U32(info + 4), U32(info + 12)));
        ulong module = U64(info + 16);
        Assert.Equal(3ul, U64(module + 8));
        Assert.Equal([1, 2, 3], _memory.Memory.Span(U64(module), 3).ToArray());
        Assert.Equal(BootLayout.AcpiAddress, U64(info + 32));
        Assert.Equal(3u, U32(info + 48));
        Assert.Equal(0x90, _memory.Memory.Span(0x20_0000 + 4095, 1)[0]);
        Assert.Equal(0, _memory.Memory.Span(0x20_0000 + 4096, 1)[0]);
    }

    [Fact]
    public void Damaged_bzImages_are_refused_with_a_reason()
    {
        AssertRefused("neither a bzImage nor an ELF file", new byte[10]);
        AssertRefused("neither a bzImage nor an ELF file", new byte[100_000]);
        AssertRefused("ends before its code", Change(KernelImages.BzImage(), 0x1f1, 200));
        AssertRefused("no 64-bit entry", Change(KernelImages.BzImage(), 0x236, 0));
        AssertRefused("no 64-bit entry", Change(KernelImages.BzImage(), 0x207, 1));
        AssertRefused("needs", KernelImages.BzImage(preferred: 0x1000));
        AssertRefused("needs", KernelImages.BzImage(preferred: ulong.MaxValue - 100));
        AssertRefused("needs", KernelImages.BzImage(initSize: MemoryBytes));
        AssertRefused("do not fit", KernelImages.BzImage(), new byte[MemoryBytes - 0x18_0000]);
    }

    [Fact]
    public void Damaged_ELF_kernels_are_refused_with_a_reason()
    {
        AssertRefused("not a 64-bit x86 one", Change(KernelImages.Elf(), 4, 1));
        AssertRefused("not a 64-bit x86 one", [.. "\u007fELF"u8]);
        AssertRefused("program headers", Change(KernelImages.Elf(), 57, 0xff));
        AssertRefused("program headers", Change(KernelImages.Elf(), 39, 0xff));
        AssertRefused("within a segment", Change(KernelImages.Elf(), 64 + 15, 0xff));
        AssertRefused("no PVH entry", Change(KernelImages.Elf(), 0x208, 17));
        AssertRefused("no PVH entry", Change(KernelImages.Elf(), 0x203, 0xff));
        AssertRefused("outside of what it loads", KernelImages.Elf(entry: 0x30_0000));
        AssertRefused("has a segment", KernelImages.Elf(address: 0));
        AssertRefused("has a segment", KernelImages.Elf(address: ulong.MaxValue - 10));
        AssertRefused("has a segment", KernelImages.Elf(memoryBytes: MemoryBytes));
        AssertRefused("has a segment", KernelImages.Elf(memoryBytes: 10));
    }

    [Fact]
    public void Command_lines_have_a_limit()
    {
        AssertRefused("at most 2047 bytes", KernelImages.BzImage(), line: new string('x', 2048));
        AssertRefused("fewer than 4096", KernelImages.BzImage(), line: new string('x', 4096));
        AssertRefused("none of them zero", KernelImages.BzImage(), line: "a\0b");
    }

    private static byte[] Change(byte[] image, int at, byte value)
    {
        image[at] = value;
        return image;
    }
}
