using Candela.Os.Kernel;
using Candela.Os.Tests.Initramfs;
using Candela.Tests.Shared;
using Microsoft.Extensions.Logging.Abstractions;

namespace Candela.Os.Tests.Kernel;

/// <summary>With the host's apt and the real Debian package.</summary>
public sealed class AptKernelTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void Finds_the_kernel_among_the_dependencies_of_the_meta_package()
    {
        Assert.Equal(
            "linux-image-6.1.0-56-cloud-amd64",
            AptKernelSource.FindDependency("linux-image-cloud-amd64\n  Depends: linux-base\n  Depends: linux-image-6.1.0-56-cloud-amd64\n"));
        Assert.Null(AptKernelSource.FindDependency("<linux-image-cloud-amd64>\n"));
    }

    [Fact]
    public async Task Makes_a_guest_of_the_newest_Debian_kernel()
    {
        File.WriteAllText(_folder.File("agent"), "agent");
        GuestBuilder builder = new(
            new GuestBuilderOptions { CacheFolder = _folder.File("cache"), AgentPath = _folder.File("agent") }, NullLogger<GuestBuilder>.Instance);

        GuestImage image = await builder.BuildAsync(null, TestContext.Current.CancellationToken);

        Assert.EndsWith("-cloud-amd64", image.KernelRelease, StringComparison.Ordinal);
        // Documentation/arch/x86/boot.rst: the setup header's magic.
        Assert.Equal("HdrS"u8, File.ReadAllBytes(image.KernelPath).AsSpan(0x202, 4));
        List<string> paths = [.. CpioEntry.ReadAll(File.ReadAllBytes(image.InitramfsPath)).Select(entry => entry.Path)];
        int[] order = [.. ((string[])["virtio_ring", "virtio", "virtio_mmio", "virtio_blk", "virtio_console"]).Select(name => paths.IndexOf($"modules/{name}.ko"))];
        Assert.DoesNotContain(-1, order);
        Assert.Equal(order.Order(), order);
        Assert.Contains("modules/overlay.ko", paths);
        Assert.DoesNotContain("modules/ext4.ko", paths);
        Assert.Equal([".json", ".ko"], Directory.GetFiles(Path.Combine(_folder.File("cache"), "kernels"), "*", SearchOption.AllDirectories).Select(Path.GetExtension).Distinct().Where(extension => extension != "").Order());
    }
}
