using Candela.Controller.Api;
using Candela.Controller.Transport;
using Candela.Identity.Accounts;
using Candela.Identity.Authorization;
using Candela.Model;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.Extensions.DependencyInjection;

namespace Candela.Controller.Tests.Access;

/// <summary>Who the users of this host are.</summary>
public sealed class LocalUserTests
{
    [Fact]
    public async Task Root_may_everything_others_what_their_account_may()
    {
        await using var host = await GuardedHost.StartAsync();
        Assert.Null(Resolve(host, PeerCredential.OwnUserId).Actor.Subject);
        var shared = Resolve(host, 65_000);
        Assert.Equal(("65000 as local@system", 65_000u, "local"), (shared.UserName, shared.UserId, shared.Actor.From));
        var ada = await host.AddUserAsync("ada", 65_001);
        var own = Resolve(host, 65_001);
        Assert.Equal((Subject.Entry(ada.Id), "ada@system"), (own.Actor.Subject, own.UserName));
        var containers = host.Service<IContainerService>();

        // Docker's users expect the project's containers to be theirs; somebody with an account has what it is given.
        Assert.Empty(await containers.ListAsync(shared, CancellationToken.None));
        await RefusedAsync(() => containers.ListAsync(own, CancellationToken.None));
        await RefusedAsync(() => host.Service<IMachineService>().ListParentsAsync(shared, CancellationToken.None));

        // An account that is disabled is not let in by the common one.
        await host.Directory.UpdateAsync(host.Directory.Current.Get<User>(ada.Id)! with { Enabled = false }, CancellationToken.None);
        await RefusedAsync(() => containers.ListAsync(Resolve(host, 65_001), CancellationToken.None));
        await host.Directory.UpdateAsync(host.Directory.Current.Find<ServiceAccount>("local") with { Enabled = false }, CancellationToken.None);
        await RefusedAsync(() => containers.ListAsync(shared, CancellationToken.None));
    }

    [Fact]
    public async Task The_common_account_is_made_once()
    {
        await using var host = await GuardedHost.StartAsync();
        await host.Directory.DeleteAsync(host.Directory.Current.Find<ServiceAccount>("local").Id, null, CancellationToken.None);
        await host.Service<Candela.Identity.IdentityHost>().EnsureLocalAccountAsync("default", "default", CancellationToken.None);
        var nobody = Resolve(host, 65_000);
        await RefusedAsync(() => host.Service<IContainerService>().ListAsync(nobody, CancellationToken.None));
    }

    private static async Task RefusedAsync(Func<Task> call) =>
        Assert.Equal(ErrorCode.PermissionDenied, (await Assert.ThrowsAsync<CandelaException>(call)).Code);

    private static Caller Resolve(GuardedHost host, uint userId)
    {
        var features = new FeatureCollection();
        features.Set<IPeerCredentialFeature>(new PeerCredential(userId, userId, 1));
        return new CallerResolver(new ServiceCollection().AddSingleton(host.Directory).BuildServiceProvider()).Resolve(features, "default");
    }
}

internal static class SnapshotExtensions
{
    public static T Find<T>(this DirectorySnapshot snapshot, string name)
        where T : DirectoryEntry => (T)snapshot.Find(snapshot.SystemDomain.Id, name)!;
}
