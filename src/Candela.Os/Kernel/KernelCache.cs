using Candela.Model;
using Microsoft.Extensions.Logging;

namespace Candela.Os.Kernel;

/// <summary>A kernel and its modules on the host's disk.</summary>
/// <param name="Folder">Where the files are.</param>
/// <param name="Record">What they are.</param>
internal sealed record CachedKernel(string Folder, KernelRecord Record);

/// <summary>Kernels that were taken from packages, a folder each. The caller holds the lock of the cache.</summary>
internal sealed partial class KernelCache(string folder, IKernelSource source, ILogger logger)
{
    /// <summary>Kernels kept when newer ones come.</summary>
    private const int KeptCount = 2;

    /// <summary>The newest kernel that the source offers, with the wanted modules; a cached one when the source cannot be reached.</summary>
    /// <exception cref="CandelaException">Unavailable: no kernel in the cache and none to be had.</exception>
    public async Task<CachedKernel> GetAsync(IReadOnlyList<string> wanted, IProgress<string>? progress, CancellationToken cancellationToken)
    {
        Directory.CreateDirectory(folder);
        KernelPackage? newest;
        try
        {
            newest = await source.FindNewestAsync(cancellationToken);
            if (newest is null && FindCached(wanted) is { } kept)
            {
                Log.NotOffered(logger, kept.Record.Package);
                return kept;
            }

            if (newest is null)
            {
                progress?.Report("fetching package lists");
                await source.RefreshAsync(cancellationToken);
                newest = await source.FindNewestAsync(cancellationToken)
                    ?? throw new CandelaException(ErrorCode.Unavailable, "apt offers no package linux-image-cloud-amd64");
            }

            string path = PathOf(newest);
            if (Directory.Exists(path) && KernelRecord.TryLoad(path) is { } record && record.WantedModules.SequenceEqual(wanted))
                return new CachedKernel(path, record);
            progress?.Report($"downloading {newest.Name} {newest.Version}");
            return await FetchAsync(newest, wanted, cancellationToken);
        }
        catch (CandelaException e)
        {
            if (FindCached(wanted) is { } cached)
            {
                Log.Fallback(logger, cached.Record.Package, e.Message);
                return cached;
            }

            throw new CandelaException(e.Code, $"{e.Message}. The guest needs a Debian kernel once: let apt reach a Debian mirror (check with `apt-get update && apt-cache depends linux-image-cloud-amd64`) and start again", e);
        }
    }

    /// <summary>Deletes all but the newest kernels.</summary>
    public void Trim() => CacheFolder.Trim(folder, KeptCount);

    private async Task<CachedKernel> FetchAsync(KernelPackage package, IReadOnlyList<string> wanted, CancellationToken cancellationToken)
    {
        string path = PathOf(package);
        string unpacked = Path.Combine(folder, ".unpacked");
        string made = Path.Combine(folder, ".new");
        CacheFolder.Delete(unpacked);
        CacheFolder.Delete(made);
        try
        {
            Directory.CreateDirectory(unpacked);
            await source.FetchAsync(package, unpacked, cancellationToken);
            Directory.CreateDirectory(made);
            KernelRecord record = Collect(package, wanted, unpacked, made);
            record.Save(made);
            CacheFolder.Delete(path);
            Directory.Move(made, path);
            return new CachedKernel(path, record);
        }
        finally
        {
            CacheFolder.Delete(unpacked);
            CacheFolder.Delete(made);
        }
    }

    private static KernelRecord Collect(KernelPackage package, IReadOnlyList<string> wanted, string unpacked, string made)
    {
        const string KernelPrefix = "vmlinuz-";
        string boot = Path.Combine(unpacked, "boot");
        if (!Directory.Exists(boot) || Directory.GetFiles(boot, KernelPrefix + "*") is not [string kernel])
            throw new CandelaException(ErrorCode.Unavailable, $"package {package.Name} holds no kernel");
        string release = Path.GetFileName(kernel)[KernelPrefix.Length..];
        string modules = Path.Combine(unpacked, "lib/modules", release);
        if (!Directory.Exists(modules))
            modules = Path.Combine(unpacked, "usr/lib/modules", release);
        if (!Directory.Exists(modules))
            throw new CandelaException(ErrorCode.Unavailable, $"package {package.Name} holds no modules");

        IReadOnlyList<string> order = new ModuleTree(modules).Order(wanted);
        File.Move(kernel, Path.Combine(made, "vmlinuz"));
        foreach (string module in order)
            File.Move(module, Path.Combine(made, Path.GetFileName(module)));
        return new KernelRecord(
            package.Name, package.Version, release, wanted, KernelFile.Of(made, "vmlinuz"), [.. order.Select(module => KernelFile.Of(made, Path.GetFileName(module)))]);
    }

    private CachedKernel? FindCached(IReadOnlyList<string> wanted)
    {
        foreach (DirectoryInfo candidate in CacheFolder.Finished(folder))
        {
            if (KernelRecord.TryLoad(candidate.FullName) is { } record && record.WantedModules.SequenceEqual(wanted))
                return new CachedKernel(candidate.FullName, record);
        }

        return null;
    }

    // Debian versions may hold ':' and '~', which file systems take; '/' they cannot hold (deb-version(7)).
    private string PathOf(KernelPackage package) => Path.Combine(folder, $"{package.Name}_{package.Version}");

    private static partial class Log
    {
        [LoggerMessage(Level = LogLevel.Warning, Message = "apt offers no cloud kernel (are its lists missing? run `apt-get update`); going on with {Package} from the cache")]
        public static partial void NotOffered(ILogger logger, string package);

        [LoggerMessage(Level = LogLevel.Warning, Message = "no kernel by apt, going on with {Package} from the cache: {Reason}")]
        public static partial void Fallback(ILogger logger, string package, string reason);
    }
}
