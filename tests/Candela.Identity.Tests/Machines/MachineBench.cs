using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Candela.Identity.Accounts;
using Candela.Identity.Acme.Challenges;
using Candela.Identity.Secrets;
using Candela.State;
using Candela.Tests.Shared;
using Microsoft.Extensions.Logging.Abstractions;

namespace Candela.Identity.Tests.Machines;

/// <summary>All of identity on one store, as a controller has it.</summary>
internal sealed class MachineBench : IAsyncDisposable
{
    private MachineBench(IdentityFixture identity, TrustHost host) => (Identity, Host) = (identity, host);

    public IdentityFixture Identity { get; }

    public TrustHost Host { get; }

    public ManualTimeProvider Clock => Identity.Time;

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    public static async Task<MachineBench> StartAsync(IStateStore? store = null, IdentityFixture? beside = null)
    {
        var identity = await IdentityFixture.StartAsync(beside, store: store);
        var options = new TrustOptions { Authority = new() { TrustDomain = "example.org" }, Acme = new() { BaseUrl = new Uri("https://candela.example/acme") } };
        var host = await TrustHost.OpenAsync(
            identity.Store, identity.Get<ISecretBox>(), identity.Directory, new SystemAcmeResolver(), options, identity.Time, NullLoggerFactory.Instance, Token);
        return new MachineBench(identity, host);
    }

    public async Task<string> TokenAsync(string? machine = null) => (await Host.Machines.CreateTokenAsync(machine, TimeSpan.FromHours(1), "root", Token)).ToText();

    public MachineAccount? Account(string name) => Identity.Directory.Current.Find(Identity.SystemId, name) as MachineAccount;

    public static byte[] Request(ECDsa key, string name = "whatever") => new CertificateRequest($"CN={name}", key, HashAlgorithmName.SHA256).CreateSigningRequest();

    public async ValueTask DisposeAsync()
    {
        await Host.DisposeAsync();
        await Identity.DisposeAsync();
    }
}
