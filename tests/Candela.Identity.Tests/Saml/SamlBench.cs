using System.Security.Cryptography.Xml;
using System.Xml;
using Candela.Identity.Accounts;
using Candela.Identity.Administration;
using Candela.Identity.Saml;
using Candela.Identity.Saml.Providers;
using Candela.Identity.SignIn;
using Microsoft.AspNetCore.Http;

namespace Candela.Identity.Tests.Saml;

/// <summary>The identity provider with an account and a registered service provider.</summary>
internal sealed class SamlBench : IAsyncDisposable
{
    public const string SignOnAddress = "https://id.test/saml/sso";
    public const string LogoutAddress = "https://id.test/saml/slo";
    public const string EntityId = "https://id.test/saml/metadata";

    public static readonly Actor Root = Actor.Local("root", 0);

    private SamlBench(IdentityFixture identity, User account, RemoteProvider remote) => (Identity, Account, Remote) = (identity, account, remote);

    public IdentityFixture Identity { get; }

    public User Account { get; }

    public RemoteProvider Remote { get; }

    public SingleSignOn SignOn => Identity.Get<SingleSignOn>();

    public SingleLogout Logout => Identity.Get<SingleLogout>();

    public ISignInSessions Sessions => Identity.Get<ISignInSessions>();

    public DateTimeOffset Now => Identity.Time.GetUtcNow();

    private static CancellationToken Ending => TestContext.Current.CancellationToken;

    public static async Task<SamlBench> StartAsync(Func<SamlServiceProvider, SamlServiceProvider>? change = null)
    {
        var identity = await IdentityFixture.StartAsync(more: services => services
            .AddSignIn(new SignInOptions { PublicUrl = new Uri("https://id.test") })
            .AddSaml(new SamlOptions { BaseUrl = new Uri("https://id.test"), KeyBits = 2048 }));
        try
        {
            await identity.Get<SamlHost>().StartAsync(Ending);
            var account = await identity.Directory.CreateAsync(
                new User { DomainId = identity.SystemId, Name = "ada", GivenName = "Ada", Surname = "Lovelace", Mail = "ada@example.org" }, Ending);
            var bench = new SamlBench(identity, account, new RemoteProvider());
            await bench.RegisterAsync(bench.Remote, change);
            return bench;
        }
        catch
        {
            await identity.DisposeAsync();
            throw;
        }
    }

    public Task<SamlServiceProvider> RegisterAsync(RemoteProvider remote, Func<SamlServiceProvider, SamlServiceProvider>? change = null) =>
        Identity.Get<SamlAdministration>().CreateAsync(
            Root, "system", remote.Name, null, draft => (change ?? (p => p))(remote.Registration(draft.DomainId)), Ending);

    /// <summary>A browser in which somebody is signed in.</summary>
    public async Task<HttpContext> BrowserAsync(DirectoryEntry? account = null, params string[] methods)
    {
        var context = new DefaultHttpContext();
        await Sessions.BeginAsync(context, account ?? Account, methods is [] ? ["pwd"] : methods, Ending);
        return context;
    }

    /// <summary>From a request to what comes of it in a browser.</summary>
    public async Task<SamlAnswer> AnswerAsync(Candela.Identity.Saml.Bindings.IncomingMessage request, HttpContext browser) =>
        (await SignOn.ContinueAsync(browser, StateOf(await SignOn.ReceiveAsync(request, Ending)), Ending)).Answer;

    /// <summary>What the address has that a message leads on to.</summary>
    public static string StateOf(SamlAnswer answer) => Assert.IsType<SamlAnswer.Redirect>(answer).Address.Split("?request=")[1];

    /// <summary>The response's root element, whose signature (and the assertion's) is right.</summary>
    public async Task<XmlElement> ResponseOfAsync(SamlAnswer answer)
    {
        var post = Assert.IsType<SamlAnswer.Post>(answer);
        var document = new XmlDocument { PreserveWhitespace = true };
        document.LoadXml(post.Xml);
        var key = await Identity.Get<SamlAdministration>().ListKeysAsync(Root, Ending);
        Assert.Single(key);
        foreach (XmlElement signature in document.GetElementsByTagName("Signature", "http://www.w3.org/2000/09/xmldsig#"))
        {
            var verifier = new SignedXml((XmlElement)signature.ParentNode!);
            verifier.LoadXml(signature);
            Assert.True(verifier.CheckSignature());
            Assert.Equal("#" + ((XmlElement)signature.ParentNode!).GetAttribute("ID"), ((Reference)verifier.SignedInfo!.References[0]!).Uri);
        }

        return document.DocumentElement!;
    }

    public ValueTask DisposeAsync() => Identity.DisposeAsync();
}
