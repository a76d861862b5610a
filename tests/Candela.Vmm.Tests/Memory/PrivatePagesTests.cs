using Candela.Tests.Shared;
using Candela.Vmm.Memory;
using Candela.Vmm.Native;

namespace Candela.Vmm.Tests.Memory;

public sealed class PrivatePagesTests : IDisposable
{
    private const int SizeBytes = 4 << 20;
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void Changed_pages_over_a_copy_of_the_file_make_the_memory()
    {
        byte[] parent = new byte[SizeBytes];
        Random.Shared.NextBytes(parent);
        File.WriteAllBytes(_folder.File("parent"), parent);
        File.Copy(_folder.File("parent"), _folder.File("fork"));
        using FileStream file = new(_folder.File("parent"), FileMode.Open, FileAccess.ReadWrite);
        GuestMemory memory = MemoryFile.Map((int)file.SafeFileHandle.DangerousGetHandle(), SizeBytes, isPrivate: true);
        PrivatePages pages = new(memory);
        _ = memory.Span(0, SizeBytes).Count((byte)7); // reading changes nothing
        foreach (int page in (ReadOnlySpan<int>)[0, 1, 2, 500, 1023])
            memory.Span((ulong)page * 4096 + 17, 1)[0]++;

        using FileStream fork = new(_folder.File("fork"), FileMode.Open, FileAccess.ReadWrite);
        Assert.Equal(5ul * 4096, pages.WriteTo((int)fork.SafeFileHandle.DangerousGetHandle()));

        Assert.Equal(memory.Span(0, SizeBytes).ToArray(), File.ReadAllBytes(_folder.File("fork")));
        Assert.Equal(parent, File.ReadAllBytes(_folder.File("parent")));
    }

    [Fact]
    public void A_file_that_is_too_small_is_refused()
    {
        File.WriteAllBytes(_folder.File("small"), new byte[4096]);
        using FileStream file = File.OpenRead(_folder.File("small"));
        NativeException e = Assert.Throws<NativeException>(() => MemoryFile.Map((int)file.SafeFileHandle.DangerousGetHandle(), 8192, isPrivate: true));
        Assert.Contains("4096 bytes", e.Message, StringComparison.Ordinal);
    }
}
