using System.Security.Cryptography;
using Candela.Identity.Administration;
using Candela.Identity.Authorization;
using Candela.Identity.Certificates;
using Candela.Identity.Certificates.Administration;
using Candela.Identity.Certificates.Names;
using Candela.Identity.Certificates.Profiles;
using Candela.Identity.Certificates.Revocation;
using Candela.Model;

namespace Candela.Identity.Tests.Machines;

/// <summary>Who may do what with certificates, and that it is kept.</summary>
public sealed class CertificateAdministrationTests : IAsyncLifetime
{
    private readonly Actor _root = Actor.Local("root", 0);
    private MachineBench _bench = null!;
    private CertificateAdministration _certificates = null!;
    private Actor _auditor = null!;

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync()
    {
        _bench = await MachineBench.StartAsync();
        _certificates = new CertificateAdministration(_bench.Host, _bench.Identity.Get<AccessGuard>());
        var user = await _bench.Identity.AddUserAsync("olga");
        _auditor = Actor.Of(user, _bench.Identity.Directory.Current.SystemDomain, "192.0.2.1");
        await _bench.Identity.Get<PolicyAdministration>().CreateBindingAsync(_root, _auditor.Subject!.Value, "auditor", ResourceScope.System, Token);
    }

    public ValueTask DisposeAsync() => _bench.DisposeAsync();

    [Fact]
    public async Task An_auditor_sees_and_changes_nothing()
    {
        var order = new CertificateOrder { Profile = CertificateProfile.Server, Owner = "user:ada", Names = new CertificateNames { Dns = ["a.example"] } };
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var issued = await _certificates.IssueAsync(_root, order, MachineBench.Request(key, "a.example"), Token);
        Assert.Equal(issued.Serial, (await _certificates.GetAsync(_auditor, issued.Serial, Token)).Serial);
        Assert.Contains(await _certificates.ListAsync(_auditor, "user:ada", 10, Token), c => c.Serial == issued.Serial);

        foreach (var call in new Func<Actor, Task>[]
        {
            a => _certificates.IssueAsync(a, order, MachineBench.Request(key, "a.example"), Token),
            a => _certificates.RevokeAsync(a, issued.Serial, RevocationReason.Unspecified, Token),
            a => _certificates.SetProfileLimitsAsync(a, CertificateProfile.Server, _bench.Host.Authority.Profile(CertificateProfile.Server).Limits, Token),
            a => _certificates.CreateRootAsync(a, Token),
            a => _certificates.ExportRootKeyAsync(a, "correct horse battery", Token),
            a => _certificates.RemoveRootKeyAsync(a, Token),
            a => _certificates.RestoreRootKeyAsync(a, "", "", Token),
            a => _certificates.RenewIssuingAsync(a, AuthorityPurpose.General, Token),
            a => _certificates.RequestIssuingAsync(a, AuthorityPurpose.General, Token),
            a => _certificates.InstallIssuingAsync(a, "x", "", Token),
            a => _certificates.RevokeIssuingAsync(a, "x", RevocationReason.Unspecified, Token),
            a => _certificates.WithdrawRootAsync(a, "x", Token),
            a => _certificates.CreateJoinTokenAsync(a, null, TimeSpan.FromHours(1), Token),
            a => _certificates.WithdrawJoinTokenAsync(a, "x", Token),
            a => _certificates.RemoveMachineAsync(a, "x", Token),
            a => _certificates.CreateAcmeAccountAsync(a, "user:ada", ["a.example"], TimeSpan.FromHours(1), Token),
            a => _certificates.WithdrawAcmeAccountAsync(a, "x", Token),
            a => _certificates.FederateAsync(a, "b.example", null, null, "{}", Token),
            a => _certificates.UnfederateAsync(a, "b.example", Token),
        })
            Assert.Equal(ErrorCode.PermissionDenied, (await Assert.ThrowsAsync<CandelaException>(() => call(_auditor))).Code);

        Assert.Equal(RevocationReason.Superseded, (await _certificates.RevokeAsync(_root, issued.Serial.ToLowerInvariant(), RevocationReason.Superseded, Token)).Reason);
        Assert.NotNull(await _certificates.CreateJoinTokenAsync(_root, null, TimeSpan.FromHours(1), Token));
        foreach (var serial in new[] { "", "x", "../../users", new string('0', 32) })
            Assert.Equal(ErrorCode.NotFound, (await Assert.ThrowsAsync<CandelaException>(() => _certificates.GetAsync(_root, serial, Token))).Code);
    }

    [Fact]
    public async Task Limits_of_profiles_can_be_narrowed_for_all_controllers_and_not_widened()
    {
        var limits = _bench.Host.Authority.Profile(CertificateProfile.Server).Limits;
        await using var second = await MachineBench.StartAsync(beside: _bench.Identity);
        var changed = second.Host.Authority.Authorities.Changed;
        await _certificates.SetProfileLimitsAsync(_root, CertificateProfile.Server, limits with { Domains = ["shop.example"], LifetimeMaximum = TimeSpan.FromDays(30) }, Token);
        await changed.WaitAsync(TimeSpan.FromSeconds(10), Token);
        var order = new CertificateOrder { Profile = CertificateProfile.Server, Owner = "user:ada", Names = new CertificateNames { Dns = ["a.example"] } };
        foreach (var bench in new[] { _bench, second })
        {
            var refused = await Assert.ThrowsAsync<CandelaException>(() => bench.Host.Authority.IssueWithKeyAsync(order, Token));
            Assert.Contains("within shop.example", refused.Message, StringComparison.Ordinal);
        }

        foreach (var wider in new[]
        {
            limits with { LifetimeMaximum = TimeSpan.FromDays(91) },
            limits with { LifetimeDefault = TimeSpan.FromDays(91) },
            limits with { KeyTypes = [] },
            limits with { NameMaximum = 101 },
            limits with { Domains = ["*.example"] },
        })
            Assert.Equal(ErrorCode.InvalidArgument, (await Assert.ThrowsAsync<CandelaException>(() => _certificates.SetProfileLimitsAsync(_root, CertificateProfile.Server, wider, Token))).Code);
        var machine = _bench.Host.Authority.Profile(CertificateProfile.Machine).Limits;
        await Assert.ThrowsAsync<CandelaException>(() => _certificates.SetProfileLimitsAsync(_root, CertificateProfile.Machine, machine with { AllowWildcards = true }, Token));
    }
}
