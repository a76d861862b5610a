using Candela.Identity.Accounts;
using Candela.Identity.Authentication;
using Candela.Identity.Authorization;
using Candela.Identity.Storage;

namespace Candela.Identity;

/// <summary>Beginning and end of identity.</summary>
public sealed class IdentityHost : IAsyncDisposable
{
    private readonly IdentityReplica _replica;
    private readonly StoredDirectory _directory;
    private readonly InitialAdministrator _administrator;
    private readonly LocalAccount _local;

    internal IdentityHost(IdentityReplica replica, StoredDirectory directory, InitialAdministrator administrator, LocalAccount local)
    {
        _replica = replica;
        _directory = directory;
        _administrator = administrator;
        _local = local;
    }

    /// <summary>Reads the directory; makes the system domain and the initial administrator at the first start. To be called once, before any service is used.</summary>
    public async Task StartAsync(CancellationToken cancellationToken)
    {
        await _replica.StartAsync(cancellationToken);
        await _directory.EnsureSystemDomainAsync(cancellationToken);
        await _administrator.EnsureAsync(cancellationToken);
    }

    /// <summary>
    /// Makes, once, the account of this host's users who have none of their own (<see cref="LocalUsers"/>), with the role <c>project-admin</c> in a project.
    /// </summary>
    public Task EnsureLocalAccountAsync(string tenant, string project, CancellationToken cancellationToken) =>
        _local.EnsureAsync(ResourceScope.Project(tenant, project), cancellationToken);

    /// <summary>Ends following the state store, which stays open.</summary>
    public ValueTask DisposeAsync() => _replica.DisposeAsync();
}
