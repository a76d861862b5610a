using Candela.Identity.Accounts;
using Candela.Identity.Administration;
using Candela.Identity.Authorization;
using Candela.Identity.OpenIdConnect.Clients;
using Candela.Model;

namespace Candela.Identity.Tests.OpenIdConnect;

/// <summary>Who may register which clients: nobody gives out more than they have.</summary>
public sealed class ClientAdministrationTests : IAsyncLifetime
{
    private OpenIdBench _bench = null!;
    private ClientAdministration _clients = null!;
    private Domain _acme = null!;
    private Actor _admin = null!;

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync()
    {
        _bench = await OpenIdBench.StartAsync();
        _clients = _bench.Identity.Get<ClientAdministration>();
        _acme = await _bench.Identity.Directory.EnsureTenantDomainAsync("acme", Token);
        var user = await _bench.Identity.Directory.CreateAsync(new User { DomainId = _acme.Id, Name = "boss" }, Token);
        var policy = _bench.Identity.Get<IAccessPolicy>();
        await policy.BindAsync(new RoleBinding { Subject = Subject.Entry(user.Id), RoleId = policy.Current.FindRole(null, "tenant-admin")!.Id, Scope = ResourceScope.Tenant("acme") }, Token);
        _admin = Actor.Of(user, _acme, "127.0.0.1");
    }

    public ValueTask DisposeAsync() => _bench.DisposeAsync();

    [Fact]
    public async Task A_tenants_administrator_registers_clients_of_the_tenant_within_its_rights()
    {
        var account = await _bench.Identity.Directory.CreateAsync(new ServiceAccount { DomainId = _acme.Id, Name = "ci" }, Token);
        var stranger = await _bench.Identity.Directory.CreateAsync(new ServiceAccount { DomainId = _bench.Identity.SystemId, Name = "root" }, Token);
        var api = BuiltInClients.ApiAudience(OpenIdBench.Issuer);
        var (made, secret) = await CreateAsync(_admin, "app", "acme", client => client with { ServiceAccountId = account.Id, Audiences = [api] });
        Assert.Equal("app@acme", made.Id);
        Assert.Equal(43, secret!.Length);
        Assert.Single(await _clients.ListAsync(_admin, "acme", Token));

        await DeniedAsync(() => CreateAsync(_admin, "app", "system"));
        await DeniedAsync(() => CreateAsync(_admin, "silent", "acme", client => client with { Trusted = true }));
        await DeniedAsync(() => CreateAsync(_admin, "phisher", "acme", client => client with { Grants = ["authorization_code"], RedirectUris = [OpenIdBench.Redirect], Audiences = [api] }));
        await DeniedAsync(() => _clients.ListAsync(_admin, "system", Token));
        Assert.Equal(ErrorCode.InvalidArgument, (await Assert.ThrowsAsync<CandelaException>(() => CreateAsync(_admin, "borrower", "acme", client => client with { ServiceAccountId = stranger.Id }))).Code);

        // A client whose account has come to more rights than the administrator has is out of reach.
        var policy = _bench.Identity.Get<IAccessPolicy>();
        var developer = await _bench.Identity.Directory.CreateAsync(new User { DomainId = _acme.Id, Name = "dev" }, Token);
        var role = await policy.CreateRoleAsync(new Role { Name = "clients", Permissions = ["client:*"] }, Token);
        await policy.BindAsync(new RoleBinding { Subject = Subject.Entry(developer.Id), RoleId = role.Id, Scope = ResourceScope.Tenant("acme") }, Token);
        await policy.BindAsync(new RoleBinding { Subject = Subject.Entry(account.Id), RoleId = policy.Current.FindRole(null, "tenant-admin")!.Id, Scope = ResourceScope.Tenant("acme") }, Token);
        var dev = Actor.Of(developer, _acme, "127.0.0.1");
        await DeniedAsync(() => _clients.RotateSecretAsync(dev, "app", "acme", TimeSpan.Zero, Token));
        await DeniedAsync(() => CreateAsync(dev, "other", "acme", client => client with { ServiceAccountId = account.Id }));
        await CreateAsync(dev, "harmless", "acme");
        Assert.Contains(_bench.Pages.Audited, record => record is { Action: "client.rotate-secret", Target: "app@acme", Failure: CandelaException { Code: ErrorCode.PermissionDenied } });
    }

    [Fact]
    public async Task A_former_secret_ends_at_once_or_when_it_was_said_to()
    {
        var root = Actor.Local("root", 0);
        var (_, first) = await CreateAsync(root, "app", "system");
        Assert.True(await WorksAsync(first!));
        var (_, second) = await _clients.RotateSecretAsync(root, "app", "system", TimeSpan.FromHours(1), Token);
        Assert.True(await WorksAsync(first!));
        Assert.True(await WorksAsync(second!));
        _bench.Identity.Time.Advance(TimeSpan.FromHours(1));
        Assert.False(await WorksAsync(first!));
        var (_, third) = await _clients.RotateSecretAsync(root, "app", "system", TimeSpan.Zero, Token);
        Assert.False(await WorksAsync(second!));
        Assert.True(await WorksAsync(third!));
        await _clients.DeleteAsync(root, "app", "system", Token);
        Assert.False(await WorksAsync(third!));
    }

    [Fact]
    public async Task Devices_that_nobody_answers_for_are_limited()
    {
        var refused = 0;
        for (var i = 0; i < 40; i++)
            refused += (await _bench.PostAsync("/oauth2/device_authorization", null, ("client_id", "candela-cli"))).Status == System.Net.HttpStatusCode.TooManyRequests ? 1 : 0;
        Assert.InRange(refused, 1, 10);
    }

    private async Task<bool> WorksAsync(string secret) => (await _bench.PostAsync("/oauth2/token", secret, ("grant_type", "client_credentials"))).Status == System.Net.HttpStatusCode.OK;

    private Task<(OAuthClient Client, string? Secret)> CreateAsync(Actor actor, string name, string domain, Func<OAuthClient, OAuthClient>? change = null) => _clients.CreateAsync(
        actor, name, domain,
        (id, domainId) =>
        {
            var client = new OAuthClient { Id = id, DomainId = domainId, Authentication = ClientAuthentication.Secret, Grants = [GrantTypes.ClientCredentials] };
            return change?.Invoke(client) ?? client;
        },
        Token);

    private static async Task DeniedAsync(Func<Task> action) => Assert.Equal(ErrorCode.PermissionDenied, (await Assert.ThrowsAsync<CandelaException>(action)).Code);
}
