using System.Text;
using Candela.Model;
using Candela.Os.Initramfs;
using Candela.Os.Kernel;
using Candela.Os.Native;
using Microsoft.Extensions.Logging;
using Microsoft.Win32.SafeHandles;

namespace Candela.Os;

/// <summary>
/// Makes a host image: Debian's cloud kernel with KVM and an initramfs with busybox and programs under test. Booted in
/// <c>qemu-system-x86_64 -cpu max,+svm</c>, whose emulation has nested SVM, it is a host with /dev/kvm on any machine. Its init loads the
/// modules and runs a shell on the virtio port /dev/vport0p1; when that ends, the host powers off.
/// </summary>
public sealed class HostImageBuilder
{
    /// <summary>What a q35 machine and nested SVM need.</summary>
    private static readonly string[] WantedModules = ["virtio_pci", "virtio_console", "kvm_amd"];

    private const string Init = """
        #!/bin/busybox sh
        /bin/busybox --install -s /bin
        export PATH=/bin HOME=/
        mount -t devtmpfs devtmpfs /dev
        mount -t proc proc /proc
        mount -t sysfs sysfs /sys
        mount -t tmpfs tmpfs /tmp
        while read -r module; do insmod "$module" 2>/dev/null; done </modules.list
        i=0
        while [ ! -c /dev/vport0p1 ] && [ $i -lt 1000 ]; do usleep 10000; i=$((i + 1)); done
        cd /
        sh 0<>/dev/vport0p1 >&0 2>&1
        poweroff -f
        """;

    private readonly string _cacheFolder;
    private readonly KernelCache _kernels;

    /// <summary>A builder that takes kernels from the host's apt and keeps them in a folder.</summary>
    public HostImageBuilder(string cacheFolder, ILogger<HostImageBuilder> logger)
        : this(cacheFolder, new AptKernelSource(), logger)
    {
    }

    internal HostImageBuilder(string cacheFolder, IKernelSource source, ILogger logger)
    {
        _cacheFolder = cacheFolder;
        _kernels = new KernelCache(Path.Combine(cacheFolder, "kernels"), source, logger);
    }

    /// <summary>Makes an image with these files in a folder.</summary>
    /// <param name="folder">Folder that is there; the files vmlinuz and initramfs are made in it.</param>
    /// <param name="busybox">A static busybox.</param>
    /// <param name="files">Programs and other files.</param>
    /// <param name="cancellationToken">Gives up.</param>
    /// <exception cref="CandelaException">Unavailable: no kernel cached and none to be had. NotSupported: the kernel does not fit.</exception>
    public async Task<HostImage> BuildAsync(string folder, string busybox, IReadOnlyList<HostFile> files, CancellationToken cancellationToken)
    {
        Directory.CreateDirectory(_cacheFolder);
        using SafeFileHandle folderLock = await FolderLock.TakeAsync(_cacheFolder, cancellationToken);
        CachedKernel kernel = await _kernels.GetAsync(WantedModules, null, cancellationToken);
        string kernelPath = Path.Combine(folder, "vmlinuz"), initramfsPath = Path.Combine(folder, "initramfs");
        File.Copy(Path.Combine(kernel.Folder, kernel.Record.Kernel.Name), kernelPath, overwrite: true);
        using FileStream output = File.Create(initramfsPath);
        Write(output, kernel, busybox, files);
        return new HostImage(kernel.Record.Release, kernelPath, initramfsPath);
    }

    private static void Write(Stream output, CachedKernel kernel, string busybox, IReadOnlyList<HostFile> files)
    {
        CpioWriter cpio = new(output);
        foreach (string folder in (ReadOnlySpan<string>)["bin", "dev", "files", "modules", "proc", "sys", "tmp"])
            cpio.AddFolder(folder, 0b111_101_101);
        cpio.AddCharacterDevice("dev/console", 0b110_000_000, 5, 1);
        cpio.AddCharacterDevice("dev/null", 0b110_110_110, 1, 3);
        cpio.AddFile("bin/busybox", 0b111_101_101, File.ReadAllBytes(busybox));
        StringBuilder list = new();
        foreach (KernelFile module in kernel.Record.Modules)
        {
            cpio.AddFile($"modules/{module.Name}", 0b110_100_100, File.ReadAllBytes(Path.Combine(kernel.Folder, module.Name)));
            list.Append("/modules/").Append(module.Name).Append('\n');
        }

        cpio.AddFile("modules.list", 0b110_100_100, Encoding.UTF8.GetBytes(list.ToString()));
        foreach (HostFile file in files)
            cpio.AddFile(file.Path, 0b111_101_101, File.ReadAllBytes(file.Source));
        cpio.AddFile("init", 0b111_101_101, Encoding.UTF8.GetBytes(Init));
        cpio.Finish();
    }
}
