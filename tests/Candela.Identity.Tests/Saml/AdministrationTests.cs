using System.Text;
using Candela.Identity.Administration;
using Candela.Identity.Saml;
using Candela.Identity.Saml.Keys;
using Candela.Identity.Saml.Providers;
using Candela.Identity.Saml.Xml;
using Candela.Model;

namespace Candela.Identity.Tests.Saml;

public sealed class AdministrationTests
{
    private static CancellationToken Ending => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Registrations_that_would_be_dangerous_are_refused()
    {
        await using var saml = await SamlBench.StartAsync();
        var administration = saml.Identity.Get<SamlAdministration>();
        async Task RefuseAsync(Func<SamlServiceProvider, SamlServiceProvider> change, ErrorCode code = ErrorCode.InvalidArgument)
        {
            var refused = await Assert.ThrowsAsync<CandelaException>(() => saml.RegisterAsync(new RemoteProvider("other"), change));
            Assert.Equal(code, refused.Code);
        }

        foreach (var address in new[] { "http://other.test/acs", "javascript:alert(1)", "//other.test", "https://other.test/acs#x", "https://ada@other.test/acs", "https://other.test/ acs", "https://other.test/'acs" })
            await RefuseAsync(p => p with { AssertionConsumers = [new SamlEndpoint(0, address)] });
        await RefuseAsync(p => p with { AssertionConsumers = [] });
        await RefuseAsync(p => p with { AssertionConsumers = [new SamlEndpoint(1, p.AssertionConsumers[0].Location), new SamlEndpoint(1, p.AssertionConsumers[0].Location + "2")] });
        await RefuseAsync(p => p with { SigningCertificates = [] });
        await RefuseAsync(p => p with { SigningCertificates = [[1, 2, 3]] });
        await RefuseAsync(p => p with { EntityId = "" });
        await RefuseAsync(p => p with { Attributes = new Dictionary<string, string> { ["x"] = "password" } });
        await RefuseAsync(p => p with { AllowedGroups = [Guid.NewGuid()] }, ErrorCode.NotFound);
        await RefuseAsync(p => p with { EntityId = saml.Remote.EntityId }, ErrorCode.AlreadyExists);
        Assert.Single(await administration.ListAsync(SamlBench.Root, "system", Ending));
        var stranger = Actor.Of(saml.Account, saml.Identity.Directory.Current.SystemDomain, "test");
        Assert.Equal(ErrorCode.PermissionDenied, (await Assert.ThrowsAsync<CandelaException>(() => administration.DeleteAsync(stranger, "wiki", Ending))).Code);
        await administration.DeleteAsync(SamlBench.Root, "wiki", Ending);
        await Assert.ThrowsAsync<SamlException>(() => saml.SignOn.ReceiveAsync(RemoteProvider.Post(RemoteProvider.Sign(saml.Remote.AuthnRequest(saml.Now))), Ending));
    }

    [Fact]
    public async Task A_key_is_in_the_metadata_before_it_signs_and_after()
    {
        await using var saml = await SamlBench.StartAsync();
        var administration = saml.Identity.Get<SamlAdministration>();
        var keys = saml.Identity.Get<SamlSigningKeys>();
        var first = Assert.Single(await administration.ListKeysAsync(SamlBench.Root, Ending));
        var second = await administration.RotateKeyAsync(SamlBench.Root, isUrgent: false, Ending);
        Assert.Equal(ErrorCode.Conflict, (await Assert.ThrowsAsync<CandelaException>(() => administration.RotateKeyAsync(SamlBench.Root, isUrgent: false, Ending))).Code);
        Assert.Equal((first.Id, 2), (keys.Current.Id, keys.Published.Count));
        saml.Identity.Time.Advance(TimeSpan.FromDays(60));
        Assert.Equal(second.Id, keys.Current.Id);
        await keys.MaintainAsync(Ending);
        Assert.Equal(2, keys.Published.Count);
        // The metadata is signed by the one that signs, and names both.
        var metadata = SafeXml.Read(Encoding.UTF8.GetBytes(administration.GetMetadata()), SamlLimits.MetadataBytes).DocumentElement!;
        Assert.Equal(3, metadata.GetElementsByTagName("X509Certificate", SamlNames.Signature).Count);
        EnvelopedSignature.Verify(metadata, [keys.Current.Certificate]);
        saml.Identity.Time.Advance(TimeSpan.FromDays(61));
        await keys.MaintainAsync(Ending);
        Assert.Equal([second.Id], keys.Published.Select(k => k.Id));
        var urgent = await administration.RotateKeyAsync(SamlBench.Root, isUrgent: true, Ending);
        Assert.Equal([urgent.Id], keys.Published.Select(k => k.Id));
        Assert.True(urgent.IsCurrent);
    }
}
