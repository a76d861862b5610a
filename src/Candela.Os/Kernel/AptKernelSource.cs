using Candela.Model;

namespace Candela.Os.Kernel;

/// <summary>Debian's cloud kernel by the host's apt, which also checks the package against the signed lists.</summary>
internal sealed class AptKernelSource : IKernelSource
{
    private const string MetaPackage = "linux-image-cloud-amd64";
    private const string NamePrefix = "linux-image-";
    private const string NameSuffix = "-cloud-amd64";

    private static readonly TimeSpan QueryTimeout = TimeSpan.FromSeconds(60);
    private static readonly TimeSpan TransferTimeout = TimeSpan.FromMinutes(10);

    private static readonly string[] TransferOptions =
        ["-q", "-o", "Acquire::http::Timeout=20", "-o", "Acquire::https::Timeout=20", "-o", "Acquire::Retries=2", "-o", "APT::Sandbox::User=root"];

    /// <inheritdoc/>
    public async Task<KernelPackage?> FindNewestAsync(CancellationToken cancellationToken)
    {
        HostCommand.Result depends = await QueryAsync(["depends", "--important", MetaPackage], cancellationToken);
        if (depends.ExitCode != 0 || FindDependency(depends.Output) is not { } name)
            return null;
        HostCommand.Result show = await QueryAsync(["show", "--no-all-versions", name], cancellationToken);
        return show.ExitCode == 0 && FindVersion(show.Output) is { } version ? new KernelPackage(name, version) : null;
    }

    /// <inheritdoc/>
    public async Task RefreshAsync(CancellationToken cancellationToken)
    {
        HostCommand.Result update = await HostCommand.RunAsync("apt-get", [.. TransferOptions, "update"], "/", TransferTimeout, cancellationToken);
        if (update.ExitCode != 0)
            throw new CandelaException(ErrorCode.Unavailable, $"apt-get update failed: {update.Reason}");
    }

    /// <inheritdoc/>
    public async Task FetchAsync(KernelPackage package, string folder, CancellationToken cancellationToken)
    {
        string download = Path.Combine(folder, ".package");
        Directory.CreateDirectory(download);
        HostCommand.Result get = await HostCommand.RunAsync(
            "apt-get", [.. TransferOptions, "download", $"{package.Name}={package.Version}"], download, TransferTimeout, cancellationToken);
        if (get.ExitCode != 0 || Directory.GetFiles(download, "*.deb") is not [string file])
            throw new CandelaException(ErrorCode.Unavailable, $"apt-get download {package.Name} failed: {get.Reason}");
        HostCommand.Result extract = await HostCommand.RunAsync("dpkg-deb", ["-x", file, folder], folder, TransferTimeout, cancellationToken);
        if (extract.ExitCode != 0)
            throw new CandelaException(ErrorCode.Unavailable, $"dpkg-deb cannot unpack {Path.GetFileName(file)}: {extract.Reason}");
        Directory.Delete(download, recursive: true);
    }

    /// <summary>The kernel that apt-cache's list of the meta package's dependencies names.</summary>
    internal static string? FindDependency(string depends)
    {
        foreach (string line in depends.Split('\n'))
        {
            string name = line.Trim().Replace("Depends: ", "", StringComparison.Ordinal);
            if (name.StartsWith(NamePrefix, StringComparison.Ordinal) && name.EndsWith(NameSuffix, StringComparison.Ordinal) && name != MetaPackage)
                return name;
        }

        return null;
    }

    private static string? FindVersion(string show) =>
        show.Split('\n').FirstOrDefault(line => line.StartsWith("Version: ", StringComparison.Ordinal))?["Version: ".Length..].Trim();

    private static Task<HostCommand.Result> QueryAsync(string[] arguments, CancellationToken cancellationToken) =>
        HostCommand.RunAsync("apt-cache", arguments, "/", QueryTimeout, cancellationToken);
}
