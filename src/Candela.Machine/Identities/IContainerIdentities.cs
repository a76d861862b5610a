using System.IO.Pipelines;
using Candela.Guest.Protocol.Host;

namespace Candela.Machine.Identities;

/// <summary>
/// Who gives containers their workload identities. The Machine tells when a container asks for its own, and when its run has ended; which
/// container it is, it knows from the channel to the micro-VM.
/// </summary>
public interface IContainerIdentities
{
    /// <summary>Sees to it that a container that runs here has its identity.</summary>
    /// <exception cref="Model.CandelaException">It cannot have one now.</exception>
    Task GiveAsync(string container, CancellationToken cancellationToken);

    /// <summary>Serves what a process in a container has connected to, until either side closes it. The container has its identity.</summary>
    Task ServeAsync(string container, IDuplexPipe connection, CancellationToken cancellationToken);

    /// <summary>A container's X.509-SVID, its key and the trust bundle as files; it has its identity.</summary>
    /// <returns>The files, and what ends when there are others, or the identity has been withdrawn.</returns>
    Task<(IReadOnlyList<GuestFile> Files, Task Changed)> ReadFilesAsync(string container, CancellationToken cancellationToken);

    /// <summary>Takes a container's identity away, if it has one: its run has ended. Never fails; what cannot be done now is done later.</summary>
    Task WithdrawAsync(string container);
}
