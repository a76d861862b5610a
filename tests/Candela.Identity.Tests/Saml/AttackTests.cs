using System.IO.Compression;
using System.Security.Cryptography;
using System.Security.Cryptography.Xml;
using System.Text;
using System.Xml;
using Candela.Identity.Saml;
using Candela.Identity.Saml.Bindings;
using Candela.Identity.Saml.Protocol;
using Candela.Identity.Saml.Xml;

namespace Candela.Identity.Tests.Saml;

public sealed class AttackTests
{
    private const string Samlp = "urn:oasis:names:tc:SAML:2.0:protocol";
    private const string Dsig = "http://www.w3.org/2000/09/xmldsig#";

    private static CancellationToken Ending => TestContext.Current.CancellationToken;

    /// <summary>Ways to put a forged message around, beside or into a signed one (Somorovsky et al., USENIX Security 2012).</summary>
    public static TheoryData<string> Wrappings => ["sibling-signature", "inside-signature-object", "inside-extensions", "around", "around-same-id", "signature-moved-deep", "two-signatures", "original-in-keyinfo", "id-lower-case", "empty-uri"];

    [Theory]
    [MemberData(nameof(Wrappings))]
    public async Task A_forged_request_around_a_signed_one_is_refused(string way)
    {
        await using var saml = await SamlBench.StartAsync();
        var good = RemoteProvider.Sign(saml.Remote.AuthnRequest(saml.Now));
        Assert.IsType<SamlAnswer.Redirect>(await saml.SignOn.ReceiveAsync(RemoteProvider.Post(good), Ending));
        await RefusedAsync(saml, () => RemoteProvider.Post(Wrap(good, way)));
    }

    [Fact]
    public async Task A_request_that_was_changed_after_it_was_signed_is_refused()
    {
        await using var saml = await SamlBench.StartAsync();
        var good = RemoteProvider.Sign(saml.Remote.AuthnRequest(saml.Now, "AssertionConsumerServiceIndex=\"0\""));
        await RefusedAsync(saml, () => RemoteProvider.Post(good.Replace("AssertionConsumerServiceIndex=\"0\"", "AssertionConsumerServiceIndex=\"3\"", StringComparison.Ordinal)));
        var query = RemoteProvider.Query(saml.Remote.AuthnRequest(saml.Now), RemoteProvider.Key, "one");
        await RefusedAsync(saml, () => RedirectBinding.Read(query.Replace("RelayState=one", "RelayState=two", StringComparison.Ordinal)));
        await RefusedAsync(saml, () => RedirectBinding.Read(query.Replace("&RelayState=one", "", StringComparison.Ordinal)));
        await RefusedAsync(saml, () => RedirectBinding.Read(query + "&RelayState=two"));
        await RefusedAsync(saml, () => RedirectBinding.Read(query + "&SAMLRequest=two"));
    }

    [Fact]
    public async Task Unsigned_requests_are_refused_where_signing_is_required()
    {
        await using var saml = await SamlBench.StartAsync();
        await RefusedAsync(saml, () => RemoteProvider.Post(saml.Remote.AuthnRequest(saml.Now)));
        await RefusedAsync(saml, () => RedirectBinding.Read(RemoteProvider.Query(saml.Remote.AuthnRequest(saml.Now), key: null)));
        // Half a signature is none.
        var query = RemoteProvider.Query(saml.Remote.AuthnRequest(saml.Now), RemoteProvider.Key);
        await RefusedAsync(saml, () => RedirectBinding.Read(query[..query.IndexOf("&Signature=", StringComparison.Ordinal)]));
        // A signature within the message does not count with Redirect.
        await RefusedAsync(saml, () => RedirectBinding.Read(RemoteProvider.Query(RemoteProvider.Sign(saml.Remote.AuthnRequest(saml.Now)), key: null)));
    }

    [Fact]
    public async Task A_wrong_signature_is_refused_where_none_is_required()
    {
        await using var saml = await SamlBench.StartAsync(p => p with { RequireSignedRequests = false });
        Assert.IsType<SamlAnswer.Redirect>(await saml.SignOn.ReceiveAsync(RemoteProvider.Post(saml.Remote.AuthnRequest(saml.Now)), Ending));
        await RefusedAsync(saml, () => RemoteProvider.Post(RemoteProvider.Sign(saml.Remote.AuthnRequest(saml.Now), key: RemoteProvider.OtherKey)));
        await RefusedAsync(saml, () => RedirectBinding.Read(RemoteProvider.Query(saml.Remote.AuthnRequest(saml.Now), RemoteProvider.OtherKey)));
    }

    [Fact]
    public async Task The_key_is_the_registered_one_whatever_the_message_shows()
    {
        await using var saml = await SamlBench.StartAsync();
        foreach (var shown in new[] { RemoteProvider.Certificate, RemoteProvider.OtherCertificate })
            await RefusedAsync(saml, () => RemoteProvider.Post(RemoteProvider.Sign(saml.Remote.AuthnRequest(saml.Now), key: RemoteProvider.OtherKey, shown: shown)));
        // And the registered key is taken even when another certificate is shown.
        Assert.IsType<SamlAnswer.Redirect>(await saml.SignOn.ReceiveAsync(RemoteProvider.Post(RemoteProvider.Sign(saml.Remote.AuthnRequest(saml.Now), shown: RemoteProvider.OtherCertificate)), Ending));
        // Another service provider's key is not this one's.
        var other = new RemoteProvider("blog");
        await saml.RegisterAsync(other, p => p with { SigningCertificates = [RemoteProvider.OtherCertificate.RawData] });
        await RefusedAsync(saml, () => RemoteProvider.Post(RemoteProvider.Sign(other.AuthnRequest(saml.Now))));
    }

    [Fact]
    public async Task Weak_and_confused_algorithms_are_refused()
    {
        await using var saml = await SamlBench.StartAsync();
        var request = saml.Remote.AuthnRequest(saml.Now);
        await RefusedAsync(saml, () => RemoteProvider.Post(RemoteProvider.Sign(request, (signer, _) => signer.SignedInfo!.SignatureMethod = SignedXml.XmlDsigRSASHA1Url)));
        await RefusedAsync(saml, () => RemoteProvider.Post(RemoteProvider.Sign(request, (_, reference) => reference.DigestMethod = SignedXml.XmlDsigSHA1Url)));
        await RefusedAsync(saml, () => RemoteProvider.Post(RemoteProvider.Sign(request, (signer, _) => signer.SignedInfo!.CanonicalizationMethod = SignedXml.XmlDsigC14NTransformUrl)));
        await RefusedAsync(saml, () => RemoteProvider.Post(RemoteProvider.Sign(request, (_, reference) => reference.AddTransform(new XmlDsigC14NTransform()))));
        await RefusedAsync(saml, () => RemoteProvider.Post(WithMac(request, RemoteProvider.Certificate.GetPublicKey())));
        await RefusedAsync(saml, () => RemoteProvider.Post(WithMac(request, RemoteProvider.Certificate.RawData)));
        await RefusedAsync(saml, () => RemoteProvider.Post(WithMac(request, [])));
        await RefusedAsync(saml, () => RedirectBinding.Read(RemoteProvider.Query(request, RemoteProvider.Key, algorithm: "http://www.w3.org/2000/09/xmldsig#rsa-sha1", hash: HashAlgorithmName.SHA1)));
        await RefusedAsync(saml, () => RedirectBinding.Read(RemoteProvider.Query(request, RemoteProvider.Key, algorithm: "http://www.w3.org/2000/09/xmldsig#hmac-sha1")));
        await RefusedAsync(saml, () => RedirectBinding.Read(RemoteProvider.Query(request, RemoteProvider.Key, algorithm: "none")));
    }

    [Theory]
    [InlineData("<!DOCTYPE a [<!ENTITY x SYSTEM \"file:///etc/hostname\">]><a>&x;</a>")]
    [InlineData("<!DOCTYPE a SYSTEM \"http://127.0.0.1:1/x.dtd\"><a/>")]
    [InlineData("<!DOCTYPE a [<!ENTITY % x SYSTEM \"http://127.0.0.1:1/x\"> %x;]><a/>")]
    [InlineData("<!DOCTYPE a [<!ENTITY a \"aaaaaaaaaa\"><!ENTITY b \"&a;&a;&a;&a;&a;&a;&a;&a;\"><!ENTITY c \"&b;&b;&b;&b;&b;&b;&b;&b;\">]><a>&c;</a>")]
    [InlineData("<!DOCTYPE a><a/>")]
    [InlineData("<a>&undefined;</a>")]
    [InlineData("<a ID=\"x\"><b ID=\"x\"/></a>")]
    [InlineData("<a ID=\"x\"><b id=\"x\"/></a>")]
    [InlineData("<a ID=\"x\"><b xml:id=\"x\"/></a>")]
    [InlineData("<a ID=\"x\"><b AssertionID=\"x\" Id=\"x\"/></a>")]
    [InlineData("<a></b>")]
    [InlineData("")]
    public void Hostile_XML_is_refused(string xml) => Assert.Throws<SamlException>(() => SafeXml.Read(Encoding.UTF8.GetBytes(xml), SamlLimits.MessageBytes));

    [Fact]
    public void XML_beyond_the_limits_is_refused()
    {
        static void Refuse(string xml) => Assert.Throws<SamlException>(() => SafeXml.Read(Encoding.UTF8.GetBytes(xml), SamlLimits.MetadataBytes));
        Refuse(string.Concat(Enumerable.Repeat("<a>", 50)) + string.Concat(Enumerable.Repeat("</a>", 50)));
        Refuse("<a>" + string.Concat(Enumerable.Repeat("<b/>", SamlLimits.NodeCount)) + "</a>");
        Refuse("<a " + string.Concat(Enumerable.Range(0, 100).Select(i => $"b{i}=\"\" ")) + "/>");
        Refuse("<a>" + new string('x', SamlLimits.MetadataBytes) + "</a>");
        Assert.Throws<SamlException>(() => SafeXml.Read(Encoding.Unicode.GetBytes("<a/>"), SamlLimits.MessageBytes));
        Assert.Throws<SamlException>(() => SafeXml.Read([(byte)'<', (byte)'a', (byte)'>', 0xc3, 0x28, (byte)'<', (byte)'/', (byte)'a', (byte)'>'], SamlLimits.MessageBytes));
    }

    [Fact]
    public void A_DEFLATE_bomb_is_not_inflated()
    {
        using var bomb = new MemoryStream();
        using (var deflate = new DeflateStream(bomb, CompressionLevel.SmallestSize, leaveOpen: true))
        {
            deflate.Write("<a>"u8);
            var zeros = new byte[1 << 16];
            for (var i = 0; i < 128; i++)
                deflate.Write(zeros);
        }

        var query = "SAMLRequest=" + Uri.EscapeDataString(Convert.ToBase64String(bomb.ToArray()));
        Assert.True(query.Length < SamlLimits.QueryLength);
        var before = GC.GetAllocatedBytesForCurrentThread();
        Assert.Throws<SamlException>(() => RedirectBinding.Read(query));
        Assert.True(GC.GetAllocatedBytesForCurrentThread() - before < 1 << 20, "8 MiB of zeros were made of 8 KiB");
    }

    [Fact]
    public void A_comment_does_not_cut_a_name_in_two()
    {
        var now = DateTimeOffset.UnixEpoch.AddYears(50);
        var xml = new RemoteProvider().LogoutRequest(now, "ada@example.org<!-- -->.evil.test", null);
        var request = LogoutRequest.Read(SafeXml.Read(Encoding.UTF8.GetBytes(xml), SamlLimits.MessageBytes).DocumentElement!, now);
        Assert.Equal("ada@example.org.evil.test", request.NameId);
        var instruction = new RemoteProvider().LogoutRequest(now, "ada@example.org<?x ?>.evil.test", null);
        Assert.Equal("ada@example.org.evil.test", LogoutRequest.Read(SafeXml.Read(Encoding.UTF8.GetBytes(instruction), SamlLimits.MessageBytes).DocumentElement!, now).NameId);
        var element = new RemoteProvider().LogoutRequest(now, "ada@example.org<x/>.evil.test", null);
        Assert.Throws<SamlException>(() => LogoutRequest.Read(SafeXml.Read(Encoding.UTF8.GetBytes(element), SamlLimits.MessageBytes).DocumentElement!, now));
    }

    [Fact]
    public async Task A_comment_that_was_put_into_a_signed_message_changes_nothing()
    {
        await using var saml = await SamlBench.StartAsync();
        var good = RemoteProvider.Sign(saml.Remote.AuthnRequest(saml.Now));
        var changed = good.Replace("https://wiki.test/saml</saml:Issuer>", "https://<!-- x -->wiki.test/saml</saml:Issuer>", StringComparison.Ordinal);
        Assert.NotEqual(good, changed);
        Assert.IsType<SamlAnswer.Redirect>(await saml.SignOn.ReceiveAsync(RemoteProvider.Post(changed), Ending));
    }

    [Theory]
    [InlineData("https://wiki.test/acs/")]
    [InlineData("https://wiki.test/ACS")]
    [InlineData("https://wiki.test/acs?x=1")]
    [InlineData("https://wiki.test/acs#x")]
    [InlineData("https://wiki.test:443/acs")]
    [InlineData("https://wiki.test/x/../acs")]
    [InlineData("https://wiki.test.evil.test/acs")]
    [InlineData("https://user@wiki.test/acs")]
    [InlineData("http://wiki.test/acs")]
    [InlineData("https://evil.test/acs")]
    public async Task The_response_goes_to_registered_addresses_only(string address)
    {
        await using var saml = await SamlBench.StartAsync(p => p with { RequireSignedRequests = false });
        await RefusedAsync(saml, () => RemoteProvider.Post(saml.Remote.AuthnRequest(saml.Now, $"AssertionConsumerServiceURL=\"{address}\"")));
        await RefusedAsync(saml, () => RemoteProvider.Post(RemoteProvider.Sign(saml.Remote.AuthnRequest(saml.Now, $"AssertionConsumerServiceURL=\"{address}\""))));
        await RefusedAsync(saml, () => RemoteProvider.Post(saml.Remote.AuthnRequest(saml.Now, "AssertionConsumerServiceIndex=\"1\"")));
    }

    [Fact]
    public async Task Requests_for_elsewhere_too_old_or_of_strangers_are_refused()
    {
        await using var saml = await SamlBench.StartAsync();
        await RefusedAsync(saml, () => RemoteProvider.Post(RemoteProvider.Sign(saml.Remote.AuthnRequest(saml.Now, destination: "https://other.test/saml/sso"))));
        await RefusedAsync(saml, () => RemoteProvider.Post(RemoteProvider.Sign(saml.Remote.AuthnRequest(saml.Now, destination: null))));
        await RefusedAsync(saml, () => RemoteProvider.Post(RemoteProvider.Sign(saml.Remote.AuthnRequest(saml.Now - TimeSpan.FromMinutes(11)))));
        await RefusedAsync(saml, () => RemoteProvider.Post(RemoteProvider.Sign(saml.Remote.AuthnRequest(saml.Now + TimeSpan.FromMinutes(4)))));
        await RefusedAsync(saml, () => RemoteProvider.Post(RemoteProvider.Sign(new RemoteProvider("unknown").AuthnRequest(saml.Now))));
        await RefusedAsync(saml, () => RemoteProvider.Post(RemoteProvider.Sign(saml.Remote.LogoutRequest(saml.Now, "x", null))));
        await RefusedAsync(saml, () => RemoteProvider.Post(RemoteProvider.Sign(saml.Remote.AuthnRequest(saml.Now, content: "<saml:Subject><saml:NameID>admin</saml:NameID></saml:Subject>"))));
    }

    [Fact]
    public async Task A_request_is_answered_once_and_its_address_cannot_be_made_up()
    {
        await using var saml = await SamlBench.StartAsync();
        var request = RemoteProvider.Post(RemoteProvider.Sign(saml.Remote.AuthnRequest(saml.Now)));
        var state = SamlBench.StateOf(await saml.SignOn.ReceiveAsync(request, Ending));
        Assert.IsType<SamlAnswer.Post>((await saml.SignOn.ContinueAsync(await saml.BrowserAsync(), state, Ending)).Answer);
        await Assert.ThrowsAsync<SamlException>(async () => await saml.SignOn.ContinueAsync(await saml.BrowserAsync(), state, Ending));
        // The same request again gets another address, but no other answer.
        var again = SamlBench.StateOf(await saml.SignOn.ReceiveAsync(RemoteProvider.Post(RemoteProvider.Sign(saml.Remote.AuthnRequest(saml.Now))), Ending));
        await Assert.ThrowsAsync<SamlException>(async () => await saml.SignOn.ContinueAsync(await saml.BrowserAsync(), again, Ending));
        var late = SamlBench.StateOf(await saml.SignOn.ReceiveAsync(RemoteProvider.Post(RemoteProvider.Sign(saml.Remote.AuthnRequest(saml.Now, id: "_late"))), Ending));
        foreach (var bad in new[] { null, "", "x", late[..^1], (late[0] == 'A' ? 'B' : 'A') + late[1..], late[..^8] + "AAAAAAAA" })
            await Assert.ThrowsAsync<SamlException>(async () => await saml.SignOn.ContinueAsync(await saml.BrowserAsync(), bad, Ending));
        saml.Identity.Time.Advance(TimeSpan.FromMinutes(31));
        await Assert.ThrowsAsync<SamlException>(async () => await saml.SignOn.ContinueAsync(await saml.BrowserAsync(), late, Ending));
    }

    [Fact]
    public async Task What_was_registered_counts_when_the_answer_is_given()
    {
        await using var saml = await SamlBench.StartAsync();
        var administration = saml.Identity.Get<SamlAdministration>();
        var state = SamlBench.StateOf(await saml.SignOn.ReceiveAsync(RemoteProvider.Post(RemoteProvider.Sign(saml.Remote.AuthnRequest(saml.Now))), Ending));
        await administration.UpdateAsync(SamlBench.Root, "wiki", null, p => p with { Enabled = false }, null, Ending);
        await Assert.ThrowsAsync<SamlException>(async () => await saml.SignOn.ContinueAsync(await saml.BrowserAsync(), state, Ending));
        await administration.UpdateAsync(SamlBench.Root, "wiki", null, p => p with { Enabled = true, AssertionConsumers = [p.AssertionConsumers[1]] }, null, Ending);
        await Assert.ThrowsAsync<SamlException>(async () => await saml.SignOn.ContinueAsync(await saml.BrowserAsync(), state, Ending));
    }

    private static async Task RefusedAsync(SamlBench saml, Func<IncomingMessage> message) =>
        await Assert.ThrowsAsync<SamlException>(async () => await saml.SignOn.ReceiveAsync(message(), Ending));

    private static string Wrap(string good, string way)
    {
        var document = new XmlDocument { PreserveWhitespace = true };
        document.LoadXml(good);
        var root = document.DocumentElement!;
        var signature = (XmlElement)root.GetElementsByTagName("Signature", Dsig)[0]!;
        var original = (XmlElement)root.CloneNode(deep: true);
        original.RemoveChild(original.GetElementsByTagName("Signature", Dsig)[0]!);
        root.SetAttribute("AssertionConsumerServiceIndex", "3");
        switch (way)
        {
            case "sibling-signature":
                root.SetAttribute("ID", "_forged");
                root.InsertAfter(original, signature);
                break;
            case "inside-signature-object":
                root.SetAttribute("ID", "_forged");
                var holder = document.CreateElement("ds", "Object", Dsig);
                holder.AppendChild(original);
                signature.AppendChild(holder);
                break;
            case "inside-extensions":
                root.SetAttribute("ID", "_forged");
                var extensions = document.CreateElement("samlp", "Extensions", Samlp);
                extensions.AppendChild(original);
                root.AppendChild(extensions);
                break;
            case "around":
            case "around-same-id":
                if (way == "around")
                    root.SetAttribute("ID", "_forged");
                root.RemoveChild(signature);
                original.InsertAfter(signature, original.FirstChild);
                root.AppendChild(original);
                break;
            case "signature-moved-deep":
                var deep = document.CreateElement("samlp", "Extensions", Samlp);
                deep.AppendChild(signature);
                root.AppendChild(deep);
                break;
            case "two-signatures":
                root.InsertAfter(signature.CloneNode(deep: true), signature);
                break;
            case "original-in-keyinfo":
                root.SetAttribute("ID", "_forged");
                signature["KeyInfo", Dsig]!.AppendChild(original);
                break;
            case "id-lower-case":
                root.RemoveAttribute("ID");
                root.SetAttribute("id", "_request1");
                break;
            case "empty-uri":
                ((XmlElement)signature.GetElementsByTagName("Reference", Dsig)[0]!).SetAttribute("URI", "");
                break;
        }

        return document.OuterXml;
    }

    private static string WithMac(string xml, byte[] key)
    {
        var document = new XmlDocument { PreserveWhitespace = true };
        document.LoadXml(xml);
        var signer = new SignedXml(document);
        signer.SignedInfo!.CanonicalizationMethod = SignedXml.XmlDsigExcC14NTransformUrl;
        var reference = new Reference("#_request1") { DigestMethod = SignedXml.XmlDsigSHA256Url };
        reference.AddTransform(new XmlDsigEnvelopedSignatureTransform());
        reference.AddTransform(new XmlDsigExcC14NTransform());
        signer.AddReference(reference);
        using var mac = new HMACSHA256(key);
        signer.ComputeSignature(mac);
        document.DocumentElement!.InsertAfter(signer.GetXml(), document.DocumentElement.FirstChild);
        return document.OuterXml;
    }
}
