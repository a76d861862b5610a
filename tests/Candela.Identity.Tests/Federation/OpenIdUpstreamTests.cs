using System.Net;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using System.Text.Json.Nodes;
using Candela.Identity.Accounts;
using Candela.Identity.OpenIdConnect;
using Candela.Identity.OpenIdConnect.Clients;
using Candela.Identity.Tests.SignIn;
using Candela.Identity.Tests.Tools;
using Candela.Model;
using Microsoft.AspNetCore.WebUtilities;

namespace Candela.Identity.Tests.Federation;

/// <summary>Sign-in by OpenID providers elsewhere, and the attacks on it (RFC 9700, section 4).</summary>
public sealed class OpenIdUpstreamTests : IAsyncLifetime
{
    private FederationBench _bench = null!;
    private FakeProvider _fake = null!;

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync()
    {
        _bench = await FederationBench.StartAsync();
        _fake = await FakeProvider.StartAsync();
    }

    public async ValueTask DisposeAsync()
    {
        await _fake.DisposeAsync();
        await _bench.DisposeAsync();
    }

    [Fact]
    public async Task Somebody_signs_in_by_another_candela()
    {
        await using var upstream = await BrowserBench.StartAsync(
            (services, _) => services.AddOpenIdConnect(new OpenIdOptions()), (endpoints, identity) => endpoints.MapOpenIdConnect(identity));
        await using var provider = upstream.Identity.Get<OpenIdProvider>();
        await provider.StartAsync(null, Token);
        var ada = await upstream.AddUserAsync(new User { DomainId = upstream.Identity.SystemId, Name = "ada", GivenName = "Ada", Surname = "Lovelace", Mail = "ada@example.org" });
        await upstream.Identity.Directory.AddMemberAsync((await upstream.Identity.AddGroupAsync("crew")).Id, ada.Id, Token);
        const string Secret = "a secret with a + and a %";
        await upstream.Identity.Get<ClientStore>().CreateAsync(
            new OAuthClient
            {
                Id = "here@system", DomainId = upstream.Identity.SystemId, Authentication = ClientAuthentication.Secret, Grants = [GrantTypes.AuthorizationCode], Trusted = true,
                RedirectUris = ["https://candela.example/sign-in/from/there"], Scopes = Scopes.Standard,
                Secrets = [new ClientSecret(SHA256.HashData(Encoding.UTF8.GetBytes(Secret)), DateTimeOffset.UtcNow, null)],
            },
            Token);
        var sailors = await _bench.Identity.AddGroupAsync("sailors");
        await _bench.AddAsync("there", upstream.Origin, upstream.Certificate, draft => draft with
        {
            DisplayName = "The other one",
            OpenId = draft.OpenId! with { ClientId = "here@system", Scopes = ["openid", "profile", "email", "groups"] },
            Groups = new Dictionary<string, Guid> { ["crew"] = sailors.Id },
        });

        using var browser = _bench.Pages.Open();
        var signIn = await browser.GetAsync("/sign-in?to=%2Fdevice");
        Assert.Contains("""<a href="/sign-in/with/there?to=%2Fdevice">Sign in with The other one</a>""", signIn.Text, StringComparison.Ordinal);
        var away = await browser.GetAsync("/sign-in/with/there?to=%2Fdevice");
        Assert.StartsWith(upstream.Origin + "/oauth2/authorize?", away.Next, StringComparison.Ordinal);

        using var there = new Browser(upstream.Address, roots: [X509CertificateLoader.LoadCertificate(upstream.Certificate)]);
        var page = await there.GetAsync(new Uri(away.Next!).PathAndQuery);
        page = await there.SubmitAsync(await there.GetAsync(page.Next!), ("name", "ada"), ("password", BrowserBench.Password));
        page = await there.FollowAsync(page);
        Assert.StartsWith("https://candela.example/sign-in/from/there?", page.Next, StringComparison.Ordinal);
        var back = await browser.GetAsync(new Uri(page.Next!).PathAndQuery);
        Assert.Equal("/device", back.Next);
        Assert.Contains("ada@system", (await browser.GetAsync("/account")).Text, StringComparison.Ordinal);
        var made = Assert.IsType<User>(_bench.Find("ada"));
        Assert.Equal(("Ada", "Lovelace"), (made.GivenName, made.Surname));
        Assert.True(_bench.Identity.Directory.Current.IsMember(sailors.Id, made.Id));
        var link = Assert.Single(await _bench.Administration.ListLinksAsync(FederationBench.Root, "there", Token));
        Assert.Equal(($"{ada.Id}", made.Id, true), (link.Subject, link.AccountId, link.OwnsAccount));

        // The code was good once; with everything that came with it, too.
        await _bench.AssertRefusedAsync(browser: _bench.Pages.Open(), await browser.GetAsync(new Uri(page.Next!).PathAndQuery), "");
    }

    [Fact]
    public async Task The_same_subject_is_the_same_account_whatever_else_changes()
    {
        await _bench.AddAsync("fake", _fake.Issuer, _fake.Certificate);
        using var browser = _bench.Pages.Open();
        Assert.Equal("/account", (await _fake.SignInAsync(browser, "s1", ("preferred_username", "bob@corp.example"), ("name", "Bob"), ("email", "bob@corp.example"), ("email_verified", true))).Next);
        var bob = (User)_bench.Find("bob")!;
        Assert.Equal(("Bob", "bob@corp.example"), (bob.DisplayName, bob.Mail));
        Assert.Equal("/account", (await _fake.SignInAsync(browser, "s1", ("preferred_username", "robert"), ("name", "Robert"))).Next);
        Assert.Null(_bench.Find("robert"));
        Assert.Equal("Robert", ((User)_bench.Find("bob")!).DisplayName);

        // Disabled, and deleted: out, and not made anew.
        bob = await _bench.Identity.Directory.UpdateAsync((User)_bench.Find("bob")! with { Enabled = false }, Token);
        Assert.Equal(HttpStatusCode.Unauthorized, (await _fake.SignInAsync(browser, "s1", ("preferred_username", "bob"))).Status);
        await _bench.Identity.Directory.DeleteAsync(bob.Id, null, Token);
        await _bench.AssertRefusedAsync(browser, await _fake.SignInAsync(browser, "s1", ("preferred_username", "bob")), "has been deleted");
        await _bench.Administration.UnlinkAsync(FederationBench.Root, "fake", "s1", Token);
        Assert.Equal("/account", (await _fake.SignInAsync(browser, "s1", ("preferred_username", "bob"))).Next);
    }

    [Fact]
    public async Task Nobody_takes_an_account_over_by_its_name_or_mail_address()
    {
        await _bench.Identity.Directory.CreateAsync(new User { DomainId = _bench.Identity.SystemId, Name = "ada", Mail = "ada@example.org" }, Token);
        await _bench.AddAsync("fake", _fake.Issuer, _fake.Certificate);
        using var browser = _bench.Pages.Open();
        await _bench.AssertRefusedAsync(
            browser, await _fake.SignInAsync(browser, "evil", ("preferred_username", "ada"), ("email", "ada@example.org"), ("email_verified", true)), "there is an account ada already");
        await _bench.AssertRefusedAsync(browser, await _fake.SignInAsync(browser, "evil", ("preferred_username", "../ada"), ("email", "ada@example.org")), "no name that an account can have");
        // Somebody of another name gets an account of their own, but not the address: that stays with who has it. What is not verified counts not at all.
        await _fake.SignInAsync(browser, "evil", ("preferred_username", "eve"), ("email", "ADA@example.org"), ("email_verified", true));
        Assert.Null(((User)_bench.Find("eve")!).Mail);
        await _fake.SignInAsync(browser, "evil", ("preferred_username", "eve"), ("email", "boss@example.org"));
        Assert.Null(((User)_bench.Find("eve")!).Mail);
        Assert.NotEqual(_bench.Find("ada")!.Id, Assert.Single(await _bench.Administration.ListLinksAsync(FederationBench.Root, "fake", Token)).AccountId);
    }

    [Fact]
    public async Task Without_a_rule_only_linked_accounts_sign_in()
    {
        var ada = await _bench.Pages.AddUserAsync("ada");
        await _bench.AddAsync("fake", _fake.Issuer, _fake.Certificate, draft => draft with { CreateAccounts = false, RequiredGroups = ["staff"] });
        using var browser = _bench.Pages.Open();
        var staff = new JsonArray("staff");
        await _bench.AssertRefusedAsync(browser, await _fake.SignInAsync(browser, "s1", ("preferred_username", "ada")), "none of the groups");
        await _bench.AssertRefusedAsync(browser, await _fake.SignInAsync(browser, "s1", ("preferred_username", "ada"), ("groups", staff.DeepClone())), "linked to no account");

        // By oneself, from a page of one's own session.
        await browser.SignInAsync("ada", SignInBench.Password);
        var page = await browser.GetAsync("/account/links");
        var lead = await browser.SubmitAsync(page);
        var begun = QueryHelpers.ParseQuery(new Uri(lead.Next!).Query).ToDictionary(parameter => parameter.Key, parameter => parameter.Value.ToString());
        _fake.Claims = new JsonObject { ["sub"] = "s1", ["nonce"] = begun["nonce"] };
        Assert.Equal("/account/links", (await _fake.EndAsync(browser, begun)).Next);
        using var other = _bench.Pages.Open();
        Assert.Equal("/account", (await _fake.SignInAsync(other, "s1", ("groups", staff.DeepClone()))).Next);
        Assert.Contains("ada@system", (await other.GetAsync("/account")).Text, StringComparison.Ordinal);

        // An attacker's link does not come from another site's form, nor is it finished in another session.
        Assert.Equal(HttpStatusCode.Forbidden, (await browser.PostAsync("/account/links", new() { ["provider"] = "fake" })).Status);
        await browser.SubmitAsync(await browser.GetAsync("/account/links"));
        Assert.Empty(await _bench.Administration.ListLinksAsync(FederationBench.Root, "fake", Token));
        lead = await browser.SubmitAsync(await browser.GetAsync("/account/links"));
        begun = QueryHelpers.ParseQuery(new Uri(lead.Next!).Query).ToDictionary(parameter => parameter.Key, parameter => parameter.Value.ToString());
        _fake.Claims = new JsonObject { ["sub"] = "evil", ["nonce"] = begun["nonce"] };
        using var victim = _bench.Pages.Open();
        await victim.SignInAsync("ada", SignInBench.Password);
        Assert.Equal(HttpStatusCode.Unauthorized, (await _fake.EndAsync(victim, begun)).Status);
        Assert.Empty(await _bench.Administration.ListLinksAsync(FederationBench.Root, "fake", Token));
        Assert.NotNull(ada);
    }

    [Fact]
    public async Task Answers_of_another_provider_are_refused()
    {
        await using var evil = await FakeProvider.StartAsync();
        await _bench.AddAsync("fake", _fake.Issuer, _fake.Certificate);
        await _bench.AddAsync("evil", evil.Issuer, evil.Certificate);
        using var browser = _bench.Pages.Open();

        // Mix-up: begun with one, answered as by the other, at either's address.
        var begun = await FakeProvider.BeginAsync(browser, "evil");
        Assert.Equal("https://candela.example/sign-in/from/evil", begun["redirect_uri"]);
        await _bench.AssertRefusedAsync(browser, await _fake.EndAsync(browser, begun, "fake"), "another provider");
        await _bench.AssertRefusedAsync(browser, await _fake.EndAsync(browser, begun, "evil"), "(iss)");
        await _bench.AssertRefusedAsync(browser, await evil.EndAsync(browser, begun, "evil", ("iss", null)), "(iss)");
        Assert.Empty(_fake.Redeemed);
        Assert.Empty(evil.Redeemed);

        // A provider that gives another's token endpoint for its own gets that one's tokens, which do not count.
        await using var thief = await FakeProvider.StartAsync();
        thief.TokenEndpoint = _fake.Issuer + "/token";
        thief.NamesItself = false;
        await _bench.AddAsync("thief", thief.Issuer, _fake.Certificate, draft => draft with { Authorities = [thief.Certificate, _fake.Certificate] });
        begun = await FakeProvider.BeginAsync(browser, "thief");
        _fake.Claims = new JsonObject { ["nonce"] = begun["nonce"] };
        thief.Claims = new JsonObject { ["nonce"] = begun["nonce"] };
        await _bench.AssertRefusedAsync(browser, await thief.EndAsync(browser, begun, "thief", ("iss", null)), "is refused");
        Assert.Null(_bench.Find("s1"));
    }

    [Fact]
    public async Task A_code_is_good_in_the_browser_that_asked_for_it_only()
    {
        await _bench.AddAsync("fake", _fake.Issuer, _fake.Certificate);
        using var attacker = _bench.Pages.Open();
        using var victim = _bench.Pages.Open();
        await victim.GetAsync("/sign-in");
        var begun = await FakeProvider.BeginAsync(attacker);
        Assert.Equal("S256", begun["code_challenge_method"]);
        // Login CSRF: the attacker's answer in the victim's browser.
        await _bench.AssertRefusedAsync(victim, await _fake.EndAsync(victim, begun), "in another browser");
        // Code injection: the victim's code in the attacker's session, where the token has the victim's nonce and PKCE the attacker's verifier.
        _fake.Claims = new JsonObject { ["nonce"] = (await FakeProvider.BeginAsync(victim))["nonce"] };
        await _bench.AssertRefusedAsync(attacker, await _fake.EndAsync(attacker, begun), "(nonce)");
        var sent = Assert.Single(_fake.Redeemed);
        Assert.Equal(begun["code_challenge"], Candela.Identity.Jose.Base64UrlText.Encode(SHA256.HashData(Encoding.ASCII.GetBytes(sent["code_verifier"]))));
        foreach (var state in new[] { "", "x", begun["state"][..^4] + "AAAA" })
            await _bench.AssertRefusedAsync(attacker, await _fake.EndAsync(attacker, begun, "fake", ("state", state)), "(state)");
    }

    [Fact]
    public async Task Forged_tokens_are_refused()
    {
        (string? Header, string Claims, string Reason)[] forged =
        [
            ("""{"alg":"none"}""", "{}", "algorithm"),
            ("""{"alg":"HS256","kid":"k1"}""", "{}", "algorithm"),
            ("""{"alg":"RS256","kid":"k2"}""", "{}", "not signed"),
            ("""{"alg":"ES256","kid":"k1"}""", "{}", "not signed"),
            ("""{"alg":"RS256","kid":"k1","jwk":{}}""", "{}", "header"),
            ("""{"alg":"RS256","kid":"k1","crit":["exp"]}""", "{}", "header"),
            ("""{"alg":"RS256","kid":"k1","typ":"at+jwt"}""", "{}", "typ"),
            ("""{"alg":"RS256","kid":"k1","typ":"logout+jwt"}""", "{}", "typ"),
            (null, """{"aud":"somebody else"}""", "another client"),
            (null, """{"aud":["candela","somebody else"]}""", "another client"),
            (null, """{"aud":["candela","somebody else"],"azp":"somebody else"}""", "another client"),
            (null, """{"azp":"somebody else"}""", "another client"),
            (null, """{"aud":null}""", "another client"),
            (null, """{"iss":"https://localhost"}""", "another issuer"),
            (null, """{"nonce":"another"}""", "nonce"),
            (null, """{"nonce":null}""", "nonce"),
            (null, """{"exp":1700000000}""", "expired"),
            (null, """{"exp":null}""", "expired"),
            (null, """{"iat":4000000000}""", "future"),
            (null, """{"sub":""}""", "(sub)"),
            (null, """{"sub":null}""", "(sub)"),
            (null, """{"at_hash":"AAAA"}""", "at_hash"),
        ];
        await _bench.AddAsync("fake", _fake.Issuer, _fake.Certificate);
        using var browser = _bench.Pages.Open();
        var (good, sign) = (_fake.Header, _fake.Sign);
        foreach (var (header, claims, reason) in forged)
        {
            _fake.Header = header is null ? good : (JsonObject)JsonNode.Parse(header)!;
            _fake.Sign = header?.Contains("none", StringComparison.Ordinal) == true ? _ => []
                : header?.Contains("HS256", StringComparison.Ordinal) == true ? input => HMACSHA256.HashData(_fake.Key.ExportSubjectPublicKeyInfo(), input)
                : sign;
            _fake.Claims = (JsonObject)JsonNode.Parse(claims)!;
            _fake.Claims["preferred_username"] = "mallory";
            await _bench.AssertRefusedAsync(browser, await _fake.EndAsync(browser, await FakeProvider.BeginAsync(browser)), reason);
        }

        Assert.Null(_bench.Find("mallory"));
        (_fake.Header, _fake.Sign, _fake.Claims) = (good, sign, new JsonObject { ["preferred_username"] = "mallory" });
        Assert.Equal("/account", (await _fake.EndAsync(browser, await FakeProvider.BeginAsync(browser))).Next);
    }

    [Fact]
    public async Task Who_must_sign_in_anew_does_so_there_too()
    {
        await _bench.AddAsync("fake", _fake.Issuer, _fake.Certificate);
        using var browser = _bench.Pages.Open();
        Assert.Contains("/sign-in/with/fake?to=%2Faccount&amp;again=1", (await browser.GetAsync("/sign-in?again=1")).Text, StringComparison.Ordinal);
        var begun = await FakeProvider.BeginAsync(browser, query: "?again=1");
        Assert.Equal(("login", "0"), (begun["prompt"], begun["max_age"]));
        _fake.Claims = new JsonObject { ["auth_time"] = DateTimeOffset.UtcNow.ToUnixTimeSeconds() - 600, ["preferred_username"] = "ada" };
        await _bench.AssertRefusedAsync(browser, await _fake.EndAsync(browser, begun), "auth_time");
        _fake.Claims = new JsonObject { ["auth_time"] = null, ["preferred_username"] = "ada" };
        await _bench.AssertRefusedAsync(browser, await _fake.EndAsync(browser, begun), "auth_time");
        // What was proven there an hour ago is no fresh proof here: passkeys are not added by it.
        Assert.Equal("/account", (await _fake.SignInAsync(browser, "s1", ("auth_time", DateTimeOffset.UtcNow.ToUnixTimeSeconds() - 3600), ("preferred_username", "ada"))).Next);
        Assert.Contains("again=1", (await browser.GetAsync("/account/passkeys")).Next, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_second_factor_here_is_asked_for_here()
    {
        var ada = await _bench.Pages.AddUserAsync("ada");
        var enrolment = await _bench.Identity.Credentials.BeginTotpAsync(ada.Id, Token);
        await _bench.Identity.Credentials.ConfirmTotpAsync(ada.Id, SignInTests.Code(enrolment, DateTimeOffset.UtcNow), Token);
        await _bench.AddAsync("fake", _fake.Issuer, _fake.Certificate);
        await _bench.Administration.LinkAsync(FederationBench.Root, "fake", "ada", "s1", Token);
        using var browser = _bench.Pages.Open();
        Assert.StartsWith("/sign-in/code?", (await _fake.SignInAsync(browser, "s1")).Next, StringComparison.Ordinal);
        Assert.Equal(HttpStatusCode.SeeOther, (await browser.GetAsync("/account")).Status);
    }

    [Fact]
    public async Task A_server_of_another_authority_and_the_controllers_own_addresses_are_not_asked()
    {
        await using var other = await FakeProvider.StartAsync();
        await _bench.AddAsync("fake", _fake.Issuer, other.Certificate);
        await _bench.Identity.Directory.EnsureTenantDomainAsync("acme", Token);
        await _bench.AddAsync("inside", _fake.Issuer, _fake.Certificate, domain: "acme");
        using var browser = _bench.Pages.Open();
        await _bench.AssertRefusedAsync(browser, await browser.GetAsync("/sign-in/with/fake"), "could not be asked");
        await _bench.AssertRefusedAsync(browser, await browser.GetAsync("/sign-in/with/inside"), "could not be asked");
        await _bench.AssertRefusedAsync(browser, await browser.GetAsync("/sign-in/with/nobody"), "no such");
    }

    [Fact]
    public async Task A_secret_does_not_follow_a_changed_address()
    {
        var made = await _bench.AddAsync("fake", _fake.Issuer, _fake.Certificate);
        Assert.DoesNotContain("a secret", Encoding.UTF8.GetString(made.SealedSecret!), StringComparison.Ordinal);
        var refused = await Assert.ThrowsAsync<CandelaException>(() => _bench.Administration.UpdateAsync(
            FederationBench.Root, "fake", present => present with { OpenId = present.OpenId! with { Issuer = "https://evil.example" } }, null, null, Token));
        Assert.Equal(ErrorCode.InvalidArgument, refused.Code);
        foreach (var issuer in new[] { "http://login.example", "https://login.example?x", "https://login.example/#x", "login.example", "https://user@login.example" })
        {
            await Assert.ThrowsAsync<CandelaException>(() => _bench.Administration.UpdateAsync(
                FederationBench.Root, "fake", present => present with { OpenId = present.OpenId! with { Issuer = issuer } }, "s", null, Token));
        }
    }
}
