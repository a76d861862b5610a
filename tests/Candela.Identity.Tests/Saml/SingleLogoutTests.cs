using Candela.Identity.Saml;
using Candela.Identity.Saml.Bindings;
using Microsoft.AspNetCore.Http;

namespace Candela.Identity.Tests.Saml;

public sealed class SingleLogoutTests
{
    private static CancellationToken Ending => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_logout_ends_the_session_passes_by_the_others_and_leads_back()
    {
        await using var saml = await SamlBench.StartAsync();
        var blog = new RemoteProvider("blog");
        await saml.RegisterAsync(blog);
        var browser = await saml.BrowserAsync();
        var (name, index) = await SignOnAsync(saml, saml.Remote, browser, "_a");
        var (otherName, _) = await SignOnAsync(saml, blog, browser, "_b");
        var session = await saml.Sessions.FindAsync(browser, Ending);

        var request = RedirectBinding.Read(RemoteProvider.Query(saml.Remote.LogoutRequest(saml.Now, name, index), RemoteProvider.Key, relayState: "bye"));
        var toBlog = await saml.Logout.ContinueAsync(browser, SamlBench.StateOf(await saml.Logout.ReceiveAsync(request, Ending)), Ending);
        Assert.Null(await saml.Sessions.FindAsync(session!.Id, Ending));
        var sent = MessageIn(toBlog, blog.LogoutAddress);
        Assert.Equal(("LogoutRequest", otherName), (sent.Root.LocalName, sent.Root["NameID", SamlNames.Assertion]!.InnerText));
        Assert.NotNull(sent.Detached);

        // What answers another request, or comes from another service provider, does not count.
        var id = sent.Root.GetAttribute("ID");
        await Assert.ThrowsAsync<SamlException>(() => AnswerAsync(saml, blog, "_other"));
        var back = MessageIn(await AnswerAsync(saml, blog, id), saml.Remote.LogoutAddress);
        Assert.Equal(("LogoutResponse", "_logout1", "bye"), (back.Root.LocalName, back.Root.GetAttribute("InResponseTo"), back.RelayState));
        Assert.DoesNotContain("PartialLogout", back.Root.OuterXml, StringComparison.Ordinal);
        await Assert.ThrowsAsync<SamlException>(() => AnswerAsync(saml, blog, id));
    }

    [Fact]
    public async Task The_answer_of_another_service_provider_is_refused()
    {
        await using var saml = await SamlBench.StartAsync();
        var blog = new RemoteProvider("blog");
        await saml.RegisterAsync(blog);
        var browser = await saml.BrowserAsync();
        var (name, index) = await SignOnAsync(saml, saml.Remote, browser, "_a");
        await SignOnAsync(saml, blog, browser, "_b");
        var request = RemoteProvider.Post(RemoteProvider.Sign(saml.Remote.LogoutRequest(saml.Now, name, index)));
        var toBlog = await saml.Logout.ContinueAsync(browser, SamlBench.StateOf(await saml.Logout.ReceiveAsync(request, Ending)), Ending);
        var id = MessageIn(toBlog, blog.LogoutAddress).Root.GetAttribute("ID");
        await Assert.ThrowsAsync<SamlException>(() => AnswerAsync(saml, saml.Remote, id));
    }

    [Fact]
    public async Task Nobody_is_signed_out_by_a_stranger_or_for_somebody_else()
    {
        await using var saml = await SamlBench.StartAsync();
        var blog = new RemoteProvider("blog");
        await saml.RegisterAsync(blog);
        var browser = await saml.BrowserAsync();
        var (name, index) = await SignOnAsync(saml, saml.Remote, browser, "_a");
        // Unsigned, or signed by another key.
        await Assert.ThrowsAsync<SamlException>(() => saml.Logout.ReceiveAsync(RemoteProvider.Post(saml.Remote.LogoutRequest(saml.Now, name, index)), Ending));
        await Assert.ThrowsAsync<SamlException>(() => saml.Logout.ReceiveAsync(RedirectBinding.Read(RemoteProvider.Query(saml.Remote.LogoutRequest(saml.Now, name, index), RemoteProvider.OtherKey)), Ending));
        // Another name, and another service provider with the right name and index.
        foreach (var request in new[] { saml.Remote.LogoutRequest(saml.Now, "somebody", index, "_1"), saml.Remote.LogoutRequest(saml.Now, "somebody", null, "_2"), blog.LogoutRequest(saml.Now, name, index, "_3") })
            await saml.Logout.ContinueAsync(browser, SamlBench.StateOf(await saml.Logout.ReceiveAsync(RemoteProvider.Post(RemoteProvider.Sign(request)), Ending)), Ending);
        Assert.NotNull(await saml.Sessions.FindAsync(browser, Ending));
        // Without an index, it is about the session of the browser that brings it.
        var last = RemoteProvider.Post(RemoteProvider.Sign(saml.Remote.LogoutRequest(saml.Now, name, null, "_4")));
        var state = SamlBench.StateOf(await saml.Logout.ReceiveAsync(last, Ending));
        await saml.Logout.ContinueAsync(browser, state, Ending);
        Assert.Null(await saml.Sessions.FindAsync(browser, Ending));
        await Assert.ThrowsAsync<SamlException>(() => saml.Logout.ContinueAsync(browser, state, Ending));
    }

    [Fact]
    public async Task Who_cannot_be_told_makes_the_logout_partial()
    {
        await using var saml = await SamlBench.StartAsync();
        var blog = new RemoteProvider("blog");
        await saml.RegisterAsync(blog, p => p with { Logout = null });
        var browser = await saml.BrowserAsync();
        var (name, index) = await SignOnAsync(saml, saml.Remote, browser, "_a");
        await SignOnAsync(saml, blog, browser, "_b");
        var request = RemoteProvider.Post(RemoteProvider.Sign(saml.Remote.LogoutRequest(saml.Now, name, index)));
        var back = MessageIn(await saml.Logout.ContinueAsync(browser, SamlBench.StateOf(await saml.Logout.ReceiveAsync(request, Ending)), Ending), saml.Remote.LogoutAddress);
        Assert.Contains("PartialLogout", back.Root.OuterXml, StringComparison.Ordinal);
    }

    private static async Task<(string NameId, string Index)> SignOnAsync(SamlBench saml, RemoteProvider remote, HttpContext browser, string id)
    {
        var response = await saml.ResponseOfAsync(await saml.AnswerAsync(RemoteProvider.Post(RemoteProvider.Sign(remote.AuthnRequest(saml.Now, id: id))), browser));
        return (response.GetElementsByTagName("saml:NameID")[0]!.InnerText, ((System.Xml.XmlElement)response.GetElementsByTagName("saml:AuthnStatement")[0]!).GetAttribute("SessionIndex"));
    }

    private static Task<SamlAnswer> AnswerAsync(SamlBench saml, RemoteProvider remote, string inResponseTo) =>
        saml.Logout.ReceiveAsync(RedirectBinding.Read(RemoteProvider.Query(remote.LogoutResponse(saml.Now, inResponseTo), RemoteProvider.Key, parameter: "SAMLResponse")), Ending);

    private static IncomingMessage MessageIn(SamlAnswer answer, string address)
    {
        var sent = Assert.IsType<SamlAnswer.Redirect>(answer).Address;
        Assert.StartsWith(address + "?", sent, StringComparison.Ordinal);
        return RedirectBinding.Read(sent[(address.Length + 1)..]);
    }
}
