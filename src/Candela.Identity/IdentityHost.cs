using Candela.Identity.Accounts;
using Candela.Identity.Authentication;
using Candela.Identity.Storage;

namespace Candela.Identity;

/// <summary>Beginning and end of identity.</summary>
public sealed class IdentityHost : IAsyncDisposable
{
    private readonly IdentityReplica _replica;
    private readonly StoredDirectory _directory;
    private readonly InitialAdministrator _administrator;

    internal IdentityHost(IdentityReplica replica, StoredDirectory directory, InitialAdministrator administrator)
    {
        _replica = replica;
        _directory = directory;
        _administrator = administrator;
    }

    /// <summary>Reads the directory; makes the system domain and the initial administrator at the first start. To be called once, before any service is used.</summary>
    public async Task StartAsync(CancellationToken cancellationToken)
    {
        await _replica.StartAsync(cancellationToken);
        await _directory.EnsureSystemDomainAsync(cancellationToken);
        await _administrator.EnsureAsync(cancellationToken);
    }

    /// <summary>Ends following the state store, which stays open.</summary>
    public ValueTask DisposeAsync() => _replica.DisposeAsync();
}
