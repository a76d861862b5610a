using System.Text;
using System.Text.Json;
using Candela.Identity.Accounts;
using Candela.Identity.Saml;
using Candela.Identity.Tests.Tools;

namespace Candela.Identity.Tests.Saml;

/// <summary>A service provider of another make and a real browser.</summary>
public sealed class BrowserTests
{
    private static CancellationToken Ending => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Node_saml_signs_in_by_Redirect_and_POST_and_out_with_chromium()
    {
        await using var bench = await BrowserBench.StartAsync(
            (services, address) => services.AddSaml(new SamlOptions { BaseUrl = address, KeyBits = 2048 }),
            (endpoints, services) => endpoints.MapSaml(services));
        await bench.Identity.Get<SamlHost>().StartAsync(Ending);
        var ada = await bench.AddUserAsync(new User { DomainId = bench.Identity.SystemId, Name = "ada", Mail = "ada@example.org" });
        var group = await bench.Identity.AddGroupAsync("writers");
        await bench.Identity.Directory.AddMemberAsync(group.Id, ada.Id, Ending);
        var administration = bench.Identity.Get<SamlAdministration>();
        var metadata = new System.Xml.XmlDocument();
        metadata.LoadXml(administration.GetMetadata());
        var configuration = new
        {
            idp = bench.Origin,
            bench.Spki,
            idpCertificates = metadata.GetElementsByTagName("ds:X509Certificate").Cast<System.Xml.XmlElement>().Select(e => e.InnerText).Distinct().ToArray(),
            key = RemoteProvider.Key.ExportPkcs8PrivateKeyPem(),
            certificate = RemoteProvider.Certificate.ExportCertificatePem(),
            name = "ada",
            password = BrowserBench.Password,
            providers = new object[]
            {
                new { name = "wiki", port = BrowserBench.FreePort(), post = false, encrypted = true },
                new { name = "blog", port = BrowserBench.FreePort(), post = true, encrypted = false },
            },
        };
        foreach (var provider in (await NodeTool.RunAsync("saml.mjs", "metadata", configuration)).EnumerateObject())
        {
            // Its metadata offers POST for logout; so that both bindings are seen, one gets its messages by Redirect, which it can, too.
            await administration.CreateAsync(
                SamlBench.Root, "system", provider.Name, Encoding.UTF8.GetBytes(provider.Value.GetString()!),
                p => provider.Name == "wiki" ? p with { Logout = p.Logout! with { Post = false } } : p, Ending);
        }


        var seen = await NodeTool.RunAsync("saml.mjs", "run", configuration);
        var text = seen.GetRawText();
        Assert.False(seen.TryGetProperty("error", out _), text);
        Assert.True(
            (Text(seen, "askedAt"), Text(seen, "byRedirect"), Text(seen, "byPost"), Text(seen, "withoutScript")) == ("/sign-in", "ada", "ada", "ada"), text);
        Assert.True(seen.GetProperty("loggedOutAt").GetBoolean() && seen.GetProperty("askedAgain").GetBoolean(), text);
        var (first, second) = (seen.GetProperty("first"), seen.GetProperty("second"));
        Assert.Equal(("deep/link?a=1", "writers", "ada@example.org"), (Text(first[0], "relayState"), Text(first[0].GetProperty("attributes"), "groups"), Text(first[0].GetProperty("attributes"), "mail")));
        Assert.NotEqual(Text(first[0], "signedIn"), Text(second[0], "signedIn"));
        Assert.True(second[1].GetProperty("sessionIndex").GetBoolean(), text);
        Assert.True(first[1].GetProperty("loggedOut").GetBoolean() && Text(first[1], "relayState") == "bye", text);
    }

    private static string? Text(JsonElement element, string name) => element.GetProperty(name).GetString();
}
