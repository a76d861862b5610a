using Candela.Model;
using Candela.Os.Kernel;

namespace Candela.Os.Tests.Kernel;

/// <summary>Packages with a kernel of a few bytes and synthetic modules; can be cut off.</summary>
internal sealed class FakeKernelSource : IKernelSource
{
    private static readonly (string Name, string[] Dependencies)[] Modules =
    [
        ("crc32c_intel", []), ("virtio_ring", []), ("virtio", ["virtio_ring"]), ("virtio_mmio", ["virtio", "virtio_ring"]), ("virtio_blk", ["virtio"]),
        ("failover", []), ("net_failover", ["failover"]), ("virtio_net", ["virtio", "net_failover"]), ("virtio_console", ["virtio"]), ("virtio_rng", ["virtio"]),
        ("squashfs", []), ("erofs", ["libcrc32c"]), ("libcrc32c", []), ("overlay", []),
    ];

    public KernelPackage? Newest { get; set; } = new("linux-image-6.1.0-1-cloud-amd64", "6.1.1-1");

    public bool Reachable { get; set; } = true;

    public bool KnownAfterRefresh { get; set; }

    public int FetchCount { get; private set; }

    public int RefreshCount { get; private set; }

    public Task<KernelPackage?> FindNewestAsync(CancellationToken cancellationToken) =>
        Task.FromResult(KnownAfterRefresh && RefreshCount == 0 ? null : Newest);

    public Task RefreshAsync(CancellationToken cancellationToken)
    {
        RefreshCount++;
        return Reachable ? Task.CompletedTask : throw Unreachable();
    }

    public Task FetchAsync(KernelPackage package, string folder, CancellationToken cancellationToken)
    {
        if (!Reachable)
            throw Unreachable();
        FetchCount++;
        string release = package.Name["linux-image-".Length..];
        string modules = Path.Combine(folder, "lib/modules", release);
        Directory.CreateDirectory(Path.Combine(folder, "boot"));
        Directory.CreateDirectory(modules);
        File.WriteAllText(Path.Combine(folder, "boot/vmlinuz-" + release), "kernel " + package.Version);
        File.WriteAllText(Path.Combine(modules, "modules.builtin"), "kernel/fs/ext4/ext4.ko\n");
        foreach ((string name, string[] dependencies) in Modules)
            File.WriteAllBytes(Path.Combine(modules, name + ".ko"), ModuleFile.Of(name, dependencies));
        return Task.CompletedTask;
    }

    private static CandelaException Unreachable() => new(ErrorCode.Unavailable, "apt-get download failed: no route to host");
}
