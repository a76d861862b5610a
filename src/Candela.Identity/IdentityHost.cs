using Candela.Identity.Accounts;
using Candela.Identity.Storage;

namespace Candela.Identity;

/// <summary>Beginning and end of identity.</summary>
public sealed class IdentityHost : IAsyncDisposable
{
    private readonly IdentityReplica _replica;
    private readonly StoredDirectory _directory;

    internal IdentityHost(IdentityReplica replica, StoredDirectory directory)
    {
        _replica = replica;
        _directory = directory;
    }

    /// <summary>Reads the directory, and makes the system domain at the first start; to be called once, before any service is used.</summary>
    public async Task StartAsync(CancellationToken cancellationToken)
    {
        await _replica.StartAsync(cancellationToken);
        await _directory.EnsureSystemDomainAsync(cancellationToken);
    }

    /// <summary>Ends following the state store, which stays open.</summary>
    public ValueTask DisposeAsync() => _replica.DisposeAsync();
}
