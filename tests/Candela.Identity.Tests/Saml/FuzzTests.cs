using System.Text;
using Candela.Identity.Saml;
using Candela.Identity.Saml.Bindings;
using Candela.Identity.Saml.Metadata;
using Candela.Identity.Saml.Protocol;
using Candela.Identity.Saml.Xml;
using Candela.Identity.Tests.Tools;
using Candela.Model;

namespace Candela.Identity.Tests.Saml;

/// <summary>Whatever comes in, messages are read or refused: no other failure. <c>CANDELA_FUZZ_COUNT</c> says how many inputs; few by default.</summary>
public sealed class FuzzTests
{
    /// <summary>Signatures are verified of every so many inputs, as that takes much longer than reading.</summary>
    private const int VerifyEvery = 4;

    private static readonly DateTimeOffset Now = DateTimeOffset.UnixEpoch.AddYears(50);

    [Fact]
    public void Messages_are_read_or_refused()
    {
        var remote = new RemoteProvider();
        byte[][] seeds =
        [
            .. new[]
            {
                remote.AuthnRequest(Now, "ForceAuthn=\"true\" AssertionConsumerServiceIndex=\"3\"", "<samlp:NameIDPolicy Format=\"x\"/><samlp:RequestedAuthnContext><saml:AuthnContextClassRef>a</saml:AuthnContextClassRef></samlp:RequestedAuthnContext>"),
                RemoteProvider.Sign(remote.AuthnRequest(Now)),
                RemoteProvider.Sign(remote.LogoutRequest(Now, "ada<!-- x -->", "_1")),
                remote.LogoutResponse(Now, "_1"),
                "<!DOCTYPE a [<!ENTITY x SYSTEM \"file:///etc/hostname\"><!ENTITY y \"&x;&x;\">]><a ID=\"1\">&y;<![CDATA[x]]><?a b?>&#x41;</a>",
            }.Select(Encoding.UTF8.GetBytes),
        ];
        var mutator = new Mutator(11);
        for (var i = 0; i < Mutator.Count; i++)
        {
            var input = mutator.Next(seeds);
            try
            {
                var root = SafeXml.Read(input, SamlLimits.MessageBytes).DocumentElement!;
                switch (root.LocalName)
                {
                    case "LogoutRequest": LogoutRequest.Read(root, Now); break;
                    case "LogoutResponse": LogoutResponse.Read(root); break;
                    default: AuthnRequest.Read(root).Header.Check(SamlBench.SignOnAddress, isSigned: false, new SamlOptions { BaseUrl = new Uri("https://id.test") }, Now); break;
                }

                if (i % VerifyEvery == 0)
                    EnvelopedSignature.Verify(root, [RemoteProvider.Certificate]);
            }
            catch (SamlException)
            {
            }
        }
    }

    /// <summary>What still verifies after a change says what was signed: the canonical form of what is read is the same.</summary>
    [Fact]
    public void A_changed_message_that_verifies_says_the_same()
    {
        var signed = RemoteProvider.Sign(new RemoteProvider().AuthnRequest(Now, "AssertionConsumerServiceIndex=\"3\"", "<samlp:NameIDPolicy Format=\"x\"/>"));
        var meant = AuthnRequest.Read(SafeXml.Read(Encoding.UTF8.GetBytes(signed), SamlLimits.MessageBytes).DocumentElement!);
        var mutator = new Mutator(12);
        byte[] seed = Encoding.UTF8.GetBytes(signed);
        for (var i = 0; i < Mutator.Count / VerifyEvery; i++)
        {
            try
            {
                var root = SafeXml.Read(mutator.Next(seed), SamlLimits.MessageBytes).DocumentElement!;
                EnvelopedSignature.Verify(root, [RemoteProvider.Certificate]);
                var read = AuthnRequest.Read(root);
                Assert.Equal(
                    (meant.Header, meant.ConsumerIndex, meant.ConsumerAddress, meant.NameIdFormat, meant.IsPassive, meant.ForceAuthn),
                    (read.Header, read.ConsumerIndex, read.ConsumerAddress, read.NameIdFormat, read.IsPassive, read.ForceAuthn));
            }
            catch (SamlException)
            {
            }
        }
    }

    [Fact]
    public void Queries_forms_and_metadata_are_read_or_refused()
    {
        var remote = new RemoteProvider();
        var query = Encoding.ASCII.GetBytes(RemoteProvider.Query(remote.AuthnRequest(Now), RemoteProvider.Key, "x"));
        var form = Encoding.ASCII.GetBytes(Convert.ToBase64String(Encoding.UTF8.GetBytes(remote.AuthnRequest(Now))));
        var metadata = Encoding.UTF8.GetBytes($"""
            <md:EntityDescriptor xmlns:md="urn:oasis:names:tc:SAML:2.0:metadata" xmlns:ds="http://www.w3.org/2000/09/xmldsig#" entityID="x"><md:SPSSODescriptor protocolSupportEnumeration="urn:oasis:names:tc:SAML:2.0:protocol"><md:KeyDescriptor><ds:KeyInfo><ds:X509Data><ds:X509Certificate>{Convert.ToBase64String(RemoteProvider.Certificate.RawData)}</ds:X509Certificate></ds:X509Data></ds:KeyInfo></md:KeyDescriptor><md:AssertionConsumerService Binding="urn:oasis:names:tc:SAML:2.0:bindings:HTTP-POST" Location="https://wiki.test/acs" index="1"/></md:SPSSODescriptor></md:EntityDescriptor>
            """);
        var mutator = new Mutator(13);
        for (var i = 0; i < Mutator.Count; i++)
        {
            try
            {
                switch (i % 3)
                {
                    case 0: RedirectBinding.Read(Encoding.Latin1.GetString(mutator.Next(query))); break;
                    case 1: PostBinding.Read(Encoding.Latin1.GetString(mutator.Next(form)), null, null); break;
                    default: ServiceProviderMetadata.Read(mutator.Next(metadata), "wiki", Guid.Empty); break;
                }
            }
            catch (Exception e) when (e is SamlException or CandelaException { Code: ErrorCode.InvalidArgument })
            {
            }
        }
    }
}
