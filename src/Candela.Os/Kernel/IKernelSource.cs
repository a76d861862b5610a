using Candela.Model;

namespace Candela.Os.Kernel;

/// <summary>Where kernels come from.</summary>
internal interface IKernelSource
{
    /// <summary>The newest kernel on offer, or null when the source does not know any, for example because its lists are missing.</summary>
    Task<KernelPackage?> FindNewestAsync(CancellationToken cancellationToken);

    /// <summary>Fetches the source's lists again.</summary>
    /// <exception cref="CandelaException">Unavailable: the source cannot be reached.</exception>
    Task RefreshAsync(CancellationToken cancellationToken);

    /// <summary>Downloads a package and unpacks its files into a folder; nothing is installed on the host.</summary>
    /// <exception cref="CandelaException">Unavailable: the source cannot be reached.</exception>
    Task FetchAsync(KernelPackage package, string folder, CancellationToken cancellationToken);
}
