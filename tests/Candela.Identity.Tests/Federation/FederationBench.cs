using Candela.Identity.Accounts;
using Candela.Identity.Administration;
using Candela.Identity.Federation;
using Candela.Identity.Tests.SignIn;
using Microsoft.Extensions.DependencyInjection;

namespace Candela.Identity.Tests.Federation;

/// <summary>Identity's pages by the real clock, with OpenID providers that a test registers.</summary>
internal sealed class FederationBench : IAsyncDisposable
{
    public static readonly Actor Root = Actor.Local("root", 0);

    public SignInBench Pages { get; private set; } = null!;

    public IdentityFixture Identity => Pages.Identity;

    public FederationAdministration Administration => Identity.Get<FederationAdministration>();

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    public static async Task<FederationBench> StartAsync() => new() { Pages = await SignInBench.StartAsync(services => services.AddSingleton(TimeProvider.System)) };

    /// <summary>Registers an OpenID provider for the system's domain.</summary>
    public Task<IdentityProvider> AddAsync(string name, string issuer, byte[] authority, Func<IdentityProvider, IdentityProvider>? change = null, string domain = Domain.SystemName) =>
        Administration.CreateAsync(
            Root, domain, name,
            draft =>
            {
                var wanted = draft with { OpenId = new OpenIdUpstream(issuer, "candela", UpstreamClientAuthentication.SecretBasic, ["openid", "profile", "email"]), Authorities = [authority], CreateAccounts = true };
                return change?.Invoke(wanted) ?? wanted;
            },
            "a secret with a + and a %", Token);

    public DirectoryEntry? Find(string name) => Identity.Directory.Current.Find(Identity.SystemId, name);

    /// <summary>Nobody is signed in, the audit log knows why, and the page does not say more than it should.</summary>
    public async Task AssertRefusedAsync(Browser browser, Browser.Page page, string reason)
    {
        Assert.Equal(System.Net.HttpStatusCode.Unauthorized, page.Status);
        Assert.Contains(reason, Pages.Audited.Last(record => record is { Action: "signin", Failure: not null }).Failure!.Message, StringComparison.Ordinal);
        Assert.Equal(System.Net.HttpStatusCode.SeeOther, (await browser.GetAsync("/account")).Status);
    }

    public ValueTask DisposeAsync() => Pages.DisposeAsync();
}
