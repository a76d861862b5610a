using System.Security.Cryptography;
using System.Text;
using System.Xml;
using Candela.Identity.Accounts;
using Candela.Identity.Saml;
using Candela.Identity.Saml.Bindings;
using Microsoft.AspNetCore.Http;

namespace Candela.Identity.Tests.Saml;

public sealed class SingleSignOnTests
{
    private static CancellationToken Ending => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_signed_request_by_Redirect_is_answered_with_what_the_service_provider_needs()
    {
        await using var saml = await SamlBench.StartAsync();
        var group = await saml.Identity.AddGroupAsync("writers");
        await saml.Identity.Directory.AddMemberAsync(group.Id, saml.Account.Id, Ending);
        var request = RedirectBinding.Read(RemoteProvider.Query(saml.Remote.AuthnRequest(saml.Now), RemoteProvider.Key, relayState: "page 7"));
        var answer = await saml.AnswerAsync(request, await saml.BrowserAsync());
        var post = Assert.IsType<SamlAnswer.Post>(answer);
        Assert.Equal((saml.Remote.Consumer, "page 7"), (post.Destination, post.RelayState));
        var response = await saml.ResponseOfAsync(answer);
        Assert.Equal(("_request1", saml.Remote.Consumer), (response.GetAttribute("InResponseTo"), response.GetAttribute("Destination")));
        Assert.Equal(2, response.GetElementsByTagName("Signature", "http://www.w3.org/2000/09/xmldsig#").Count);
        Assert.Equal(saml.Remote.EntityId, Text(response, "Audience"));
        Assert.Equal(64, Text(response, "NameID").Length);
        var confirmation = (XmlElement)response.GetElementsByTagName("saml:SubjectConfirmationData")[0]!;
        Assert.Equal(("_request1", saml.Remote.Consumer), (confirmation.GetAttribute("InResponseTo"), confirmation.GetAttribute("Recipient")));
        Assert.Equal(SamlNames.ProtectedPasswordContext, Text(response, "AuthnContextClassRef"));
        Assert.Equal(
            ["Ada Lovelace", "Ada", "writers", "ada@example.org", "Lovelace", "ada"],
            response.GetElementsByTagName("saml:AttributeValue").Cast<XmlElement>().Select(e => e.InnerText));
    }

    [Fact]
    public async Task Who_is_not_signed_in_is_led_to_the_sign_in_page_and_back()
    {
        await using var saml = await SamlBench.StartAsync();
        var state = SamlBench.StateOf(await saml.SignOn.ReceiveAsync(RemoteProvider.Post(RemoteProvider.Sign(saml.Remote.AuthnRequest(saml.Now))), Ending));
        var (answer, session, _) = await saml.SignOn.ContinueAsync(new DefaultHttpContext(), state, Ending);
        Assert.Null(session);
        var address = Assert.IsType<SamlAnswer.Redirect>(answer).Address;
        Assert.StartsWith("/sign-in?to=", address, StringComparison.Ordinal);
        Assert.Equal($"/saml/sso/continue?request={state}", Uri.UnescapeDataString(address["/sign-in?to=".Length..]));
        await saml.ResponseOfAsync((await saml.SignOn.ContinueAsync(await saml.BrowserAsync(), state, Ending)).Answer);
    }

    [Fact]
    public async Task ForceAuthn_wants_a_new_sign_in_and_IsPassive_asks_nobody()
    {
        await using var saml = await SamlBench.StartAsync();
        var early = await saml.BrowserAsync();
        saml.Identity.Time.Advance(TimeSpan.FromSeconds(1));
        var forced = SamlBench.StateOf(await saml.SignOn.ReceiveAsync(RemoteProvider.Post(RemoteProvider.Sign(saml.Remote.AuthnRequest(saml.Now, "ForceAuthn=\"true\""))), Ending));
        Assert.EndsWith("&again=1", Assert.IsType<SamlAnswer.Redirect>((await saml.SignOn.ContinueAsync(early, forced, Ending)).Answer).Address, StringComparison.Ordinal);
        Assert.IsType<SamlAnswer.Post>((await saml.SignOn.ContinueAsync(await saml.BrowserAsync(), forced, Ending)).Answer);

        var passive = RemoteProvider.Post(RemoteProvider.Sign(saml.Remote.AuthnRequest(saml.Now, "IsPassive=\"true\"", id: "_passive")));
        var response = await saml.ResponseOfAsync(await saml.AnswerAsync(passive, new DefaultHttpContext()));
        Assert.Equal(SamlNames.StatusNoPassive, ((XmlElement)response.GetElementsByTagName("samlp:StatusCode")[1]!).GetAttribute("Value"));
        Assert.Equal(0, response.GetElementsByTagName("saml:Assertion").Count);
    }

    [Fact]
    public async Task Persistent_identifiers_are_the_same_at_one_service_provider_and_others_at_another()
    {
        await using var saml = await SamlBench.StartAsync();
        var other = new RemoteProvider("blog");
        await saml.RegisterAsync(other);
        string[] found =
        [
            await NameIdAsync(saml, saml.Remote, "_1", SamlNames.PersistentNameId),
            await NameIdAsync(saml, saml.Remote, "_2", SamlNames.PersistentNameId),
            await NameIdAsync(saml, other, "_3", SamlNames.PersistentNameId),
            await NameIdAsync(saml, saml.Remote, "_4", SamlNames.TransientNameId),
            await NameIdAsync(saml, saml.Remote, "_5", SamlNames.TransientNameId),
            await NameIdAsync(saml, saml.Remote, "_6", SamlNames.EmailNameId),
        ];
        Assert.Equal(found[0], found[1]);
        Assert.Equal(5, found.Distinct().Count());
        Assert.Equal("ada@example.org", found[5]);
    }

    [Fact]
    public async Task A_mail_address_of_two_accounts_identifies_none()
    {
        await using var saml = await SamlBench.StartAsync();
        await saml.Identity.Directory.CreateAsync(new User { DomainId = saml.Identity.SystemId, Name = "eve", Mail = "ADA@example.org" }, Ending);
        var request = RemoteProvider.Post(RemoteProvider.Sign(saml.Remote.AuthnRequest(saml.Now, content: $"<samlp:NameIDPolicy Format=\"{SamlNames.EmailNameId}\"/>")));
        var response = await saml.ResponseOfAsync(await saml.AnswerAsync(request, await saml.BrowserAsync()));
        Assert.Equal(SamlNames.StatusNameIdPolicy, ((XmlElement)response.GetElementsByTagName("samlp:StatusCode")[1]!).GetAttribute("Value"));
    }

    [Fact]
    public async Task A_second_factor_is_told_and_can_be_asked_for()
    {
        await using var saml = await SamlBench.StartAsync();
        const string Wanted = "<samlp:RequestedAuthnContext Comparison=\"exact\"><saml:AuthnContextClassRef>https://refeds.org/profile/mfa</saml:AuthnContextClassRef></samlp:RequestedAuthnContext>";
        var first = RemoteProvider.Post(RemoteProvider.Sign(saml.Remote.AuthnRequest(saml.Now, content: Wanted, id: "_1")));
        var refused = await saml.ResponseOfAsync(await saml.AnswerAsync(first, await saml.BrowserAsync()));
        Assert.Equal(SamlNames.StatusNoContext, ((XmlElement)refused.GetElementsByTagName("samlp:StatusCode")[1]!).GetAttribute("Value"));
        var second = RemoteProvider.Post(RemoteProvider.Sign(saml.Remote.AuthnRequest(saml.Now, content: Wanted, id: "_2")));
        var response = await saml.ResponseOfAsync(await saml.AnswerAsync(second, await saml.BrowserAsync(null, "pwd", "otp", "mfa")));
        Assert.Equal(SamlNames.MultiFactorContext, Text(response, "AuthnContextClassRef"));
    }

    [Fact]
    public async Task An_encrypted_assertion_is_read_with_the_service_providers_key_only()
    {
        await using var saml = await SamlBench.StartAsync(p => p with { EncryptionCertificate = RemoteProvider.Certificate.RawData });
        var response = await saml.ResponseOfAsync(await saml.AnswerAsync(RemoteProvider.Post(RemoteProvider.Sign(saml.Remote.AuthnRequest(saml.Now))), await saml.BrowserAsync()));
        Assert.Equal(0, response.GetElementsByTagName("saml:Assertion").Count);
        var values = response.GetElementsByTagName("xenc:CipherValue").Cast<XmlElement>().Select(e => Convert.FromBase64String(e.InnerText)).ToArray();
        var key = RemoteProvider.Key.Decrypt(values[0], RSAEncryptionPadding.OaepSHA1);
        var plain = new byte[values[1].Length - 28];
        using (var aes = new AesGcm(key, 16))
            aes.Decrypt(values[1].AsSpan(0, 12), values[1].AsSpan(12, plain.Length), values[1].AsSpan(^16), plain);
        await saml.ResponseOfAsync(new SamlAnswer.Post("", SamlMessageKind.Response, Encoding.UTF8.GetString(plain), null));
        Assert.ThrowsAny<CryptographicException>(() => RemoteProvider.OtherKey.Decrypt(values[0], RSAEncryptionPadding.OaepSHA1));
    }

    [Fact]
    public async Task Only_the_domains_accounts_and_of_them_only_the_allowed_groups_may_sign_in()
    {
        await using var saml = await SamlBench.StartAsync();
        var administration = saml.Identity.Get<SamlAdministration>();
        var group = await saml.Identity.AddGroupAsync("writers");
        await administration.UpdateAsync(SamlBench.Root, "wiki", null, p => p with { AllowedGroups = [group.Id] }, null, Ending);
        await Assert.ThrowsAsync<SamlRefusal>(async () => await saml.AnswerAsync(RemoteProvider.Post(RemoteProvider.Sign(saml.Remote.AuthnRequest(saml.Now, id: "_1"))), await saml.BrowserAsync()));
        await saml.Identity.Directory.AddMemberAsync(group.Id, saml.Account.Id, Ending);
        Assert.IsType<SamlAnswer.Post>(await saml.AnswerAsync(RemoteProvider.Post(RemoteProvider.Sign(saml.Remote.AuthnRequest(saml.Now, id: "_2"))), await saml.BrowserAsync()));

        await administration.UpdateAsync(SamlBench.Root, "wiki", null, p => p with { AllowedGroups = [] }, null, Ending);
        var acme = await saml.Identity.Directory.EnsureTenantDomainAsync("acme", Ending);
        var stranger = await saml.Identity.Directory.CreateAsync(new User { DomainId = acme.Id, Name = "ada", Mail = "ada@example.org" }, Ending);
        await Assert.ThrowsAsync<SamlRefusal>(async () => await saml.AnswerAsync(RemoteProvider.Post(RemoteProvider.Sign(saml.Remote.AuthnRequest(saml.Now, id: "_3"))), await saml.BrowserAsync(stranger)));
    }

    private static async Task<string> NameIdAsync(SamlBench saml, RemoteProvider remote, string id, string format)
    {
        var request = RemoteProvider.Post(RemoteProvider.Sign(remote.AuthnRequest(saml.Now, content: $"<samlp:NameIDPolicy Format=\"{format}\" AllowCreate=\"true\"/>", id: id)));
        return Text(await saml.ResponseOfAsync(await saml.AnswerAsync(request, await saml.BrowserAsync())), "NameID");
    }

    private static string Text(XmlElement root, string name) => Assert.Single(root.GetElementsByTagName("saml:" + name).Cast<XmlElement>()).InnerText;
}
