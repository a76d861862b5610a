using System.ComponentModel;
using System.Security.Cryptography;
using System.Text;
using Candela.Model;
using Candela.Os.Initramfs;
using Candela.Os.Kernel;
using Candela.Os.Native;
using Microsoft.Extensions.Logging;
using Microsoft.Win32.SafeHandles;

namespace Candela.Os;

/// <summary>
/// Makes the guest of every micro-VM: Debian's cloud kernel and an initramfs with the agent as process 1. What is made stays in
/// the cache folder; a guest is made again only when kernel, modules, agent or this builder change.
/// </summary>
public sealed partial class GuestBuilder
{
    /// <summary>Raised when the layout of the initramfs changes.</summary>
    private const int Format = 1;

    /// <summary>Guests kept when newer ones come: micro-VMs that are resumed need the one that they were started with.</summary>
    private const int KeptCount = 3;

    private const int VersionLength = 12;

    /// <summary>
    /// Modules in the order of need; those that are built in are skipped. crc32c_intel comes first because squashfs, erofs and ext4
    /// pick the fastest crc32c that is there when they are used; the kernel refuses it (ENODEV) on a CPU without SSE 4.2.
    /// </summary>
    private static readonly string[] WantedModules =
        ["crc32c_intel", "virtio_mmio", "virtio_blk", "virtio_net", "virtio_console", "virtio_rng", "squashfs", "erofs", "overlay", "ext4"];

    private readonly GuestBuilderOptions _options;
    private readonly ILogger<GuestBuilder> _logger;
    private readonly KernelCache _kernels;

    /// <summary>A builder that takes kernels from the host's apt.</summary>
    public GuestBuilder(GuestBuilderOptions options, ILogger<GuestBuilder> logger)
        : this(options, new AptKernelSource(), logger)
    {
    }

    internal GuestBuilder(GuestBuilderOptions options, IKernelSource source, ILogger<GuestBuilder> logger)
    {
        _options = options;
        _logger = logger;
        _kernels = new KernelCache(Path.Combine(options.CacheFolder, "kernels"), source, logger);
    }

    /// <summary>The guest for this host, from the cache or newly made. Waits while another process makes one.</summary>
    /// <param name="progress">Told in words what is being done, for example a download.</param>
    /// <param name="cancellationToken">Gives up; what was half made is deleted.</param>
    /// <exception cref="CandelaException">
    /// NotFound: no agent at the stated path. Unavailable: no kernel cached and none to be had. NotSupported: the kernel does not fit.
    /// </exception>
    public async Task<GuestImage> BuildAsync(IProgress<string>? progress, CancellationToken cancellationToken)
    {
        if (!File.Exists(_options.AgentPath))
            throw new CandelaException(ErrorCode.NotFound, $"there is no agent at {_options.AgentPath}: build it with eng/build");
        try
        {
            Directory.CreateDirectory(_options.CacheFolder);
            using SafeFileHandle folderLock = await FolderLock.TakeAsync(_options.CacheFolder, cancellationToken);
            return await BuildLockedAsync(progress, cancellationToken);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or Win32Exception)
        {
            throw new CandelaException(ErrorCode.Unavailable, $"cannot make the guest in {_options.CacheFolder}: {e.Message}; see that the folder can be written and has 200 MB of free space", e);
        }
    }

    private async Task<GuestImage> BuildLockedAsync(IProgress<string>? progress, CancellationToken cancellationToken)
    {
        byte[] agent = await File.ReadAllBytesAsync(_options.AgentPath, cancellationToken);
        CachedKernel kernel = await _kernels.GetAsync(WantedModules, progress, cancellationToken);
        string version = VersionOf(kernel.Record, agent);
        string guests = Path.Combine(_options.CacheFolder, "guests");
        string folder = Path.Combine(guests, version);
        if (!GuestFiles.AreIntactIn(folder))
        {
            progress?.Report("making the guest");
            Make(guests, folder, agent, kernel);
            Log.Made(_logger, version, kernel.Record.Release);
        }

        Directory.SetLastWriteTimeUtc(folder, DateTime.UtcNow);
        Directory.SetLastWriteTimeUtc(kernel.Folder, DateTime.UtcNow);
        CacheFolder.Trim(guests, KeptCount);
        _kernels.Trim();
        return new GuestImage(version, kernel.Record.Release, Path.Combine(folder, GuestFiles.Kernel), Path.Combine(folder, GuestFiles.Initramfs));
    }

    private static void Make(string guests, string folder, byte[] agent, CachedKernel kernel)
    {
        string made = Path.Combine(guests, ".new");
        CacheFolder.Delete(made);
        Directory.CreateDirectory(made);
        HardLink.Create(Path.Combine(kernel.Folder, kernel.Record.Kernel.Name), Path.Combine(made, GuestFiles.Kernel));
        // Not compressed: emulated, unpacking costs more time than reading does.
        using (FileStream output = File.Create(Path.Combine(made, GuestFiles.Initramfs)))
            InitramfsWriter.Write(output, agent, kernel);
        GuestFiles.Seal(made);
        CacheFolder.Delete(folder);
        Directory.Move(made, folder);
    }

    private static string VersionOf(KernelRecord kernel, byte[] agent)
    {
        StringBuilder identity = new();
        identity.Append(Format).Append('\n').Append(kernel.Package).Append('\n').Append(kernel.PackageVersion).Append('\n').Append(kernel.Kernel.Sha256).Append('\n');
        foreach (KernelFile module in kernel.Modules)
            identity.Append(module.Name).Append(' ').Append(module.Sha256).Append('\n');
        identity.Append(Convert.ToHexStringLower(SHA256.HashData(agent)));
        return Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(identity.ToString())))[..VersionLength];
    }

    private static partial class Log
    {
        [LoggerMessage(Level = LogLevel.Information, Message = "made guest {Version} with kernel {Release}")]
        public static partial void Made(ILogger logger, string version, string release);
    }
}
