using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using System.Text.Json;
using Candela.Identity.Acme;
using Candela.Identity.Jose;
using Candela.Identity.Tests.Tools;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;

namespace Candela.Identity.Tests.Acme;

/// <summary>What a client may do, and what an attacker tries.</summary>
public sealed class AcmeTests : AcmeBench
{
    [Fact]
    public async Task A_container_proves_its_name_by_its_own_identity()
    {
        await Workloads.BeginAsync(Spec("c1", "web"), Token);
        await Workloads.BeginAsync(Spec("c2", "db"), Token);
        var (id, key) = await Server.CreateExternalAccountAsync("project:acme/shop", ["shop.acme.internal"], TimeSpan.FromHours(1), Token);
        using var client = NewClient();
        Assert.Equal(201, (await BindAsync(client, id, key)).Status);
        var order = await client.OrderAsync("web.shop.acme.internal");
        var challenge = await ChallengeAsync(client, order.First("authorizations"), "candela-attested-01");
        var keyAuthorization = $"{challenge.GetProperty("token").GetString()}.{client.Jwk.Thumbprint}";

        // Another container's token, then one for another audience, would not do; each makes its order invalid.
        Assert.Equal("invalid", await RespondAsync(client, "web.shop.acme.internal", k => Domain.IssueJwt("c2", [$"acme:{k}"]).Token));
        Assert.Equal("invalid", await RespondAsync(client, "web.shop.acme.internal", k => Domain.IssueJwt("c1", [k]).Token));
        Assert.Equal("invalid", await RespondAsync(client, "web.shop.acme.internal", _ => "junk"));

        var answer = await client.PostAsync(challenge.GetProperty("url").GetString()!, $$"""{"svid":"{{Domain.IssueJwt("c1", [$"acme:{keyAuthorization}"]).Token}}"}""");
        Assert.Equal("valid", answer.Text("status"));
        var final = await FinalizeAsync(client, order, Request("web.shop.acme.internal"));
        Assert.Equal("valid", final.Text("status"));
        var pem = await client.PostAsync(final.Text("certificate"), "");
        using var certificate = X509Certificate2.CreateFromPem(pem.Body);
        Assert.True(certificate.MatchesHostname("web.shop.acme.internal"));
    }

    [Fact]
    public async Task Messages_that_confuse_keys_algorithms_and_addresses_are_refused()
    {
        using var client = await NewClient().RegisterAsync();
        using var other = await NewClient().RegisterAsync();
        var url = client.Url("new-order");
        var order = """{"identifiers":[{"type":"dns","value":"a.open.example"}]}""";
        var kid = $$""" "kid":"{{client.Account}}" """;
        var jwk = $$""" "jwk":{{client.Jwk.ThumbprintInput}} """;

        await RefusedAsync("malformed", n => $$"""{"alg":"ES256","nonce":"{{n}}","url":"{{url}}",{{kid}},{{jwk}}}""");
        await RefusedAsync("malformed", n => $$"""{"alg":"ES256","nonce":"{{n}}","url":"{{url}}"}""");
        await RefusedAsync("malformed", n => $$"""{"alg":"ES256","nonce":"{{n}}","url":"{{url}}",{{jwk}}}""");
        await RefusedAsync("malformed", n => $$"""{"alg":"ES256","nonce":"{{n}}","url":"{{url}}","kid":"{{other.Account}}"}""");
        await RefusedAsync("malformed", n => $$"""{"alg":"ES256","alg":"none","nonce":"{{n}}","url":"{{url}}",{{kid}}}""");
        await RefusedAsync("malformed", n => $$"""{"alg":"ES256","nonce":"{{n}}","url":"{{url}}",{{kid}},"crit":["exp"],"exp":1}""");
        await RefusedAsync("malformed", n => $$"""{"alg":"ES256","nonce":"{{n}}","url":"{{url}}",{{kid}},"b64":false}""");
        await RefusedAsync("malformed", n => $$"""{"alg":"ES384","nonce":"{{n}}","url":"{{url}}",{{kid}}}""");
        await RefusedAsync("malformed", n => $$"""{"alg":"RS256","nonce":"{{n}}","url":"{{url}}",{{kid}}}""");
        await RefusedAsync("malformed", n => $$"""{"alg":"ES256","nonce":"{{n}}","url":"{{url}}",{{kid}}}""", _ => new byte[64]);
        await RefusedAsync("malformed", n => $$"""{"alg":"ES256","nonce":"{{n}}","url":"{{url}}",{{kid}}}""", _ => []);
        await RefusedAsync("badSignatureAlgorithm", n => $$"""{"alg":"none","nonce":"{{n}}","url":"{{url}}",{{kid}}}""", _ => []);
        await RefusedAsync("badSignatureAlgorithm", n => $$"""{"alg":"HS256","nonce":"{{n}}","url":"{{url}}",{{kid}}}""", i => HMACSHA256.HashData(client.Jwk.Key.Der.Span, i));
        await RefusedAsync("badSignatureAlgorithm", n => $$"""{"nonce":"{{n}}","url":"{{url}}",{{kid}}}""");
        await RefusedAsync("unauthorized", n => $$"""{"alg":"ES256","nonce":"{{n}}","url":"{{client.Url("revoke-cert")}}",{{kid}}}""");
        await RefusedAsync("unauthorized", n => $$"""{"alg":"ES256","nonce":"{{n}}","url":"https://other.example/acme/new-order",{{kid}}}""");
        await RefusedAsync("unauthorized", n => $$"""{"alg":"ES256","nonce":"{{n}}",{{kid}}}""");
        await RefusedAsync("badNonce", _ => $$"""{"alg":"ES256","url":"{{url}}",{{kid}}}""");
        await RefusedAsync("badNonce", _ => $$"""{"alg":"ES256","nonce":"AAAA","url":"{{url}}",{{kid}}}""");
        await RefusedAsync("badNonce", n => $$"""{"alg":"ES256","nonce":"{{n[..^2]}}AA","url":"{{url}}",{{kid}}}""");
        await RefusedAsync("accountDoesNotExist", n => $$"""{"alg":"ES256","nonce":"{{n}}","url":"{{url}}","kid":"{{client.Url("account/AAAAAAAAAAAAAAAAAAAAAA")}}"}""");
        await RefusedAsync("accountDoesNotExist", n => $$"""{"alg":"ES256","nonce":"{{n}}","url":"{{url}}","kid":"{{client.Url("account/../external/x")}}"}""");
        await RefusedAsync("accountDoesNotExist", n => $$"""{"alg":"ES256","nonce":"{{n}}","url":"{{url}}","kid":"https://other.example/acme/account/x"}""");
        Assert.Equal(415, (await client.SendAsync("new-order", "{}", "application/json")).Status);
        Assert.Equal(413, (await client.SendAsync("new-order", new string(' ', 70_000))).Status);
        Assert.Equal("malformed", (await client.SendAsync("new-order", """{"protected":"e30","payload":"","signature":"","header":{"alg":"none"}}""")).Problem);
        Assert.Equal(201, (await client.PostAsync("new-order", order)).Status);
        Assert.Equal(26, Audit.Records.Count(r => r.Failure is not null && r.Action == "acme.new-order"));
        Assert.Equal($"acme:{client.Account!.Split('/')[^1]}", Audit.Records.Single(r => r.Failure is null && r.Action == "acme.new-order").Actor.Name);

        async Task RefusedAsync(string problem, Func<string, string> header, Func<byte[], byte[]>? sign = null)
        {
            var answer = await client.SendAsync("new-order", client.Sign(header(await client.NonceAsync()), order, sign));
            Assert.Equal((problem, true), (answer.Problem, answer.Status is >= 400 and < 500));
        }
    }

    [Fact]
    public async Task A_nonce_is_good_once_also_at_another_controller()
    {
        using var client = await NewClient().RegisterAsync();
        var message = client.Sign($$"""{"alg":"ES256","nonce":"{{await client.NonceAsync()}}","url":"{{client.Account}}","kid":"{{client.Account}}"}""", "");
        Assert.Equal(200, (await client.SendAsync(client.Account!, message)).Status);
        Assert.Equal("badNonce", (await client.SendAsync(client.Account!, message)).Problem);

        await using var second = await AcmeServer.OpenAsync(
            Store, Secrets, Authority, Domain, Resolver, Server.Options, Time, Microsoft.Extensions.Logging.Abstractions.NullLogger<AcmeServer>.Instance, Token);
        var nonce = Server.Nonces.New();
        Assert.True(second.Nonces.IsOurs(nonce));
        Assert.True(await second.Nonces.UseAsync(nonce, Token));
        Assert.False(await Server.Nonces.UseAsync(nonce, Token));
    }

    [Fact]
    public async Task Accounts_do_not_reach_into_each_other()
    {
        using var ada = await NewClient().RegisterAsync();
        using var eve = await NewClient().RegisterAsync();
        var order = await ada.OrderAsync("a.open.example");
        var authorization = order.First("authorizations");
        var challenge = await ChallengeAsync(ada, authorization, "http-01");
        foreach (var path in new[] { order.Location!, authorization, challenge.GetProperty("url").GetString()!, $"{order.Location}/certificate" })
            Assert.Equal(404, (await eve.PostAsync(path, "")).Status);
        Assert.Equal(404, (await eve.PostAsync($"{order.Location}/finalize", $$"""{"csr":"{{Base64UrlText.Encode(Request("a.open.example"))}}"}""")).Status);
        Assert.Equal(404, (await eve.PostAsync(challenge.GetProperty("url").GetString()!, "{}")).Status);
        Assert.Equal("unauthorized", (await eve.PostAsync(ada.Account!, """{"status":"deactivated"}""")).Problem);
        Assert.Equal("unauthorized", (await eve.PostAsync($"{ada.Account}/orders", "")).Problem);
        Assert.Equal(order.Location, (await ada.PostAsync($"{ada.Account}/orders", "")).First("orders"));
    }

    [Fact]
    public async Task Bindings_that_are_forged_used_up_or_for_another_key_are_refused()
    {
        var (id, key) = await Server.CreateExternalAccountAsync("user:ada", ["shop.example"], TimeSpan.FromHours(1), Token);
        using var client = NewClient();
        using var other = NewClient();
        var hmac = Base64UrlText.TryDecode(key)!;
        Assert.Equal("unauthorized", (await BindAsync(client, id, Base64UrlText.Encode(new byte[32]))).Problem);
        Assert.Equal("unauthorized", (await BindAsync(client, "AAAAAAAAAAAAAAAAAAAAAA", key)).Problem);
        Assert.Equal("malformed", (await BindAsync(client, id, key, jwk: other.Jwk.ThumbprintInput)).Problem);
        Assert.Equal("malformed", (await BindAsync(client, id, key, url: client.Url("new-order"))).Problem);
        Assert.Equal("malformed", (await BindAsync(client, id, key, alg: "none", sign: _ => [])).Problem);
        Assert.Equal("malformed", (await BindAsync(client, id, key, alg: "ES256", sign: i => client.Key.SignData(i, HashAlgorithmName.SHA256))).Problem);
        Assert.Equal("unauthorized", (await BindAsync(client, id, key, sign: i => HMACSHA256.HashData(hmac, i)[..16])).Problem);
        Assert.Equal(201, (await BindAsync(client, id, key)).Status);
        Assert.Equal("unauthorized", (await BindAsync(other, id, key)).Problem);

        Assert.Equal(201, (await client.OrderAsync("shop.example")).Status);
        Assert.Equal("rejectedIdentifier", (await client.OrderAsync("a.open.example")).Problem);
        Assert.Equal("rejectedIdentifier", (await client.OrderAsync("workshop.example")).Problem);
        await Server.WithdrawExternalAccountAsync(id, Token);
        Assert.Equal("unauthorized", (await client.OrderAsync("shop.example")).Problem);
    }

    [Theory]
    [InlineData("*.open.example", "rejectedIdentifier")]
    [InlineData("10.0.0.1", "rejectedIdentifier")]
    [InlineData("open.example.", "rejectedIdentifier")]
    [InlineData("a.open.example\\u0000.evil.example", "rejectedIdentifier")]
    [InlineData("a..open.example", "rejectedIdentifier")]
    [InlineData("evil.example", "rejectedIdentifier")]
    [InlineData("xn--pple-43d.open.example", "rejectedIdentifier")]
    [InlineData("A.open.example", "")]
    public async Task Names_are_checked_before_anything_else(string name, string problem)
    {
        using var client = await NewClient().RegisterAsync();
        Assert.Equal(problem, (await client.OrderAsync(name)).Problem);
    }

    [Fact]
    public async Task An_order_gives_just_the_certificate_that_was_ordered()
    {
        using var client = await NewClient().RegisterAsync();
        var (order, stop) = await ValidAsync(client, "a.open.example");
        await using var _ = stop;
        Assert.Equal("badCSR", (await FinalizeAsync(client, order, Request("a.open.example", "b.open.example"))).Problem);
        Assert.Equal("badCSR", (await FinalizeAsync(client, order, Request("b.open.example"))).Problem);
        Assert.Equal("badCSR", (await FinalizeAsync(client, order, Request("a.open.example", commonName: "bank.example"))).Problem);
        Assert.Equal("badCSR", (await FinalizeAsync(client, order, Request("a.open.example", key: client.Key))).Problem);
        Assert.Equal("badCSR", (await FinalizeAsync(client, order, "junk"u8.ToArray())).Problem);
        var final = await FinalizeAsync(client, order, Request("a.open.example"));
        Assert.Equal("valid", final.Text("status"));
        Assert.Equal("orderNotReady", (await FinalizeAsync(client, order, Request("a.open.example"))).Problem);
    }

    [Fact]
    public async Task An_order_is_not_ready_until_every_name_is_proved()
    {
        using var client = await NewClient().RegisterAsync();
        var order = await client.OrderAsync("a.open.example", "b.open.example");
        Assert.Equal(2, order.Json.GetProperty("authorizations").GetArrayLength());
        Assert.Equal("orderNotReady", (await FinalizeAsync(client, order, Request("a.open.example", "b.open.example"))).Problem);
        await using var web = await AnswerAsync(client);
        var challenge = await ChallengeAsync(client, order.First("authorizations"), "http-01");
        Assert.Equal("valid", (await client.PostAsync(challenge.GetProperty("url").GetString()!, "{}")).Text("status"));
        Assert.Equal("pending", (await client.PostAsync(order.Location!, "")).Text("status"));
        Assert.Equal("orderNotReady", (await FinalizeAsync(client, order, Request("a.open.example", "b.open.example"))).Problem);
        Assert.Equal("deactivated", (await client.PostAsync(order.First("authorizations"), """{"status":"deactivated"}""")).Text("status"));
        Assert.Equal("invalid", (await client.PostAsync(order.Location!, "")).Text("status"));
    }

    [Theory]
    [InlineData("wrong")]
    [InlineData("redirect")]
    [InlineData("endless")]
    [InlineData("404")]
    [InlineData("none")]
    public async Task A_host_that_does_not_answer_rightly_proves_nothing(string how)
    {
        using var client = await NewClient().RegisterAsync();
        await using var web = await WebBench.StartAsync(_ => { }, application => application.Run(async context =>
        {
            switch (how)
            {
                case "wrong": await context.Response.WriteAsync(context.Request.Path.Value!.Split('/')[^1]); break;
                case "redirect": context.Response.Redirect("http://localhost/"); break;
                case "404": context.Response.StatusCode = 404; break;
                default: await context.Response.WriteAsync(new string('x', 100_000)); break;
            }
        }), port: HttpPort);
        if (how == "none")
            Resolver.Without.Add("a.open.example");
        var order = await client.OrderAsync("a.open.example");
        var challenge = await ChallengeAsync(client, order.First("authorizations"), "http-01");
        var answer = await client.PostAsync(challenge.GetProperty("url").GetString()!, "{}");
        Assert.Equal("invalid", answer.Text("status"));
        Assert.EndsWith(how is "endless" or "none" ? "connection" : "unauthorized", answer.Json.GetProperty("error").GetProperty("type").GetString(), StringComparison.Ordinal);
        Assert.Equal("invalid", (await client.PostAsync(order.Location!, "")).Text("status"));
    }

    [Fact]
    public async Task A_key_is_changed_by_both_keys_and_the_old_one_is_over()
    {
        using var client = await NewClient().RegisterAsync();
        using var other = await NewClient().RegisterAsync();
        using var fresh = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        Assert.Equal("malformed", (await ChangeAsync(client, fresh, oldKey: other.Jwk.ThumbprintInput)).Problem);
        Assert.Equal("malformed", (await ChangeAsync(client, fresh, account: other.Account)).Problem);
        Assert.Equal("malformed", (await ChangeAsync(client, fresh, url: client.Url("new-account"))).Problem);
        Assert.Equal("malformed", (await ChangeAsync(client, fresh, signer: client.Key)).Problem);
        var taken = await ChangeAsync(client, other.Key);
        Assert.Equal((409, other.Account), (taken.Status, taken.Location));
        Assert.Equal(200, (await ChangeAsync(client, fresh)).Status);
        Assert.Equal("malformed", (await client.PostAsync(client.Account!, "")).Problem);
        client.Key = fresh;
        Assert.Equal(200, (await client.PostAsync(client.Account!, "")).Status);
    }

    [Fact]
    public async Task Certificates_are_revoked_by_their_account_or_key_only()
    {
        using var client = await NewClient().RegisterAsync();
        using var eve = await NewClient().RegisterAsync();
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var (order, stop) = await ValidAsync(client, "a.open.example");
        await using var _ = stop;
        var pem = await client.PostAsync((await FinalizeAsync(client, order, Request("a.open.example", key: key))).Text("certificate"), "");
        using var certificate = X509Certificate2.CreateFromPem(pem.Body);
        var payload = $$"""{"certificate":"{{Base64UrlText.Encode(certificate.RawData)}}"}""";
        Assert.Equal("unauthorized", (await eve.PostAsync("revoke-cert", payload)).Problem);
        Assert.Equal("unauthorized", (await eve.PostAsync("revoke-cert", payload, withKey: true)).Problem);
        Assert.Equal("malformed", (await client.PostAsync("revoke-cert", """{"certificate":"AAAA"}""")).Problem);
        Assert.Equal("badRevocationReason", (await client.PostAsync("revoke-cert", payload.Replace("}", ""","reason":2}""", StringComparison.Ordinal))).Problem);

        using var holder = NewClient();
        holder.Key = key;
        Assert.Equal(200, (await holder.PostAsync("revoke-cert", payload, withKey: true)).Status);
        Assert.Equal("alreadyRevoked", (await client.PostAsync("revoke-cert", payload)).Problem);
    }

    [Fact]
    public async Task A_deactivated_account_is_over()
    {
        using var client = await NewClient().RegisterAsync();
        Assert.Equal(200, (await client.PostAsync("new-account", """{"onlyReturnExisting":true}""", withKey: true)).Status);
        Assert.Equal("deactivated", (await client.PostAsync(client.Account!, """{"status":"deactivated"}""")).Text("status"));
        Assert.Equal("unauthorized", (await client.OrderAsync("a.open.example")).Problem);
        Assert.Equal("unauthorized", (await client.PostAsync("new-account", "{}", withKey: true)).Problem);
        using var nobody = NewClient();
        Assert.Equal("accountDoesNotExist", (await nobody.PostAsync("new-account", """{"onlyReturnExisting":true}""")).Problem);
        Assert.Equal("invalidContact", (await nobody.PostAsync("new-account", """{"contact":["mailto:a@b?cc=c@d"]}""")).Problem);
        Assert.Equal("unsupportedContact", (await nobody.PostAsync("new-account", """{"contact":["tel:1"]}""")).Problem);
    }

    [Fact]
    public void Mangled_messages_are_refused_without_harm()
    {
        using var client = NewClient();
        byte[][] seeds =
        [
            Encoding.UTF8.GetBytes(client.Sign($$"""{"alg":"ES256","nonce":"AAAA","url":"https://a.example/","jwk":{{client.Jwk.ThumbprintInput}}}""", "{}")),
            Encoding.UTF8.GetBytes(client.Sign("""{"alg":"RS256","kid":"x"}""", """{"identifiers":[{"type":"dns","value":"a"}]}""")),
        ];
        var mutator = new Mutator(6);
        for (var i = 0; i < Mutator.Count; i++)
        {
            try
            {
                var read = FlattenedJws.Read(mutator.Next(seeds));
                if (read.Header.TryGetProperty("jwk", out var jwk))
                    JsonWebKey.Read(jwk);
            }
            catch (JoseException)
            {
                // Answered with "malformed".
            }
        }
    }

    private AcmeClient NewClient() => new(Client(), BaseUrl);

    private static byte[] Request(params string[] names) => Request(names, null, null);

    private static byte[] Request(string name, string? commonName = null, ECDsa? key = null) => Request([name], commonName, key);

    private static byte[] Request(string[] names, string? commonName, ECDsa? key)
    {
        using var fresh = key is null ? ECDsa.Create(ECCurve.NamedCurves.nistP256) : null;
        var request = new CertificateRequest(commonName is null ? "" : $"CN={commonName}", key ?? fresh!, HashAlgorithmName.SHA256);
        var san = new SubjectAlternativeNameBuilder();
        foreach (var name in names)
            san.AddDnsName(name);
        request.CertificateExtensions.Add(san.Build());
        return request.CreateSigningRequest();
    }

    private static Task<AcmeClient.Answer> FinalizeAsync(AcmeClient client, AcmeClient.Answer order, byte[] csr) =>
        client.PostAsync(order.Text("finalize"), $$"""{"csr":"{{Base64UrlText.Encode(csr)}}"}""");

    private static async Task<JsonElement> ChallengeAsync(AcmeClient client, string authorization, string type) =>
        (await client.PostAsync(authorization, "")).Json.GetProperty("challenges").EnumerateArray().Single(c => c.GetProperty("type").GetString() == type);

    /// <summary>A host that answers all http-01 challenges for a client.</summary>
    private Task<WebBench> AnswerAsync(AcmeClient client) => WebBench.StartAsync(
        _ => { }, application => application.MapGet("/.well-known/acme-challenge/{token}", (string token) => $"{token}.{client.Jwk.Thumbprint}\n"), port: HttpPort);

    /// <summary>An order that is ready.</summary>
    private async Task<(AcmeClient.Answer Order, IAsyncDisposable Stop)> ValidAsync(AcmeClient client, string name)
    {
        var web = await AnswerAsync(client);
        var order = await client.OrderAsync(name);
        var challenge = await ChallengeAsync(client, order.First("authorizations"), "http-01");
        Assert.Equal("valid", (await client.PostAsync(challenge.GetProperty("url").GetString()!, "{}")).Text("status"));
        Assert.Equal("ready", (await client.PostAsync(order.Location!, "")).Text("status"));
        return (order, web);
    }

    /// <summary>Makes an order, responds to its attested challenge, and tells the state of the order.</summary>
    private static async Task<string> RespondAsync(AcmeClient client, string name, Func<string, string> svid)
    {
        var order = await client.OrderAsync(name);
        var challenge = await ChallengeAsync(client, order.First("authorizations"), "candela-attested-01");
        await client.PostAsync(challenge.GetProperty("url").GetString()!, $$"""{"svid":"{{svid($"{challenge.GetProperty("token").GetString()}.{client.Jwk.Thumbprint}")}}"}""");
        return (await client.PostAsync(order.Location!, "")).Text("status");
    }

    private static async Task<AcmeClient.Answer> BindAsync(
        AcmeClient client, string id, string key, string? jwk = null, string? url = null, string alg = "HS256", Func<byte[], byte[]>? sign = null)
    {
        var hmac = Base64UrlText.TryDecode(key)!;
        var binding = client.Sign(
            $$"""{"alg":"{{alg}}","kid":"{{id}}","url":"{{url ?? client.Url("new-account")}}"}""", jwk ?? client.Jwk.ThumbprintInput, sign ?? (input => HMACSHA256.HashData(hmac, input)));
        var answer = await client.PostAsync("new-account", $$"""{"externalAccountBinding":{{binding}}}""", withKey: true);
        if (answer.Status == 201)
            client.Account = answer.Location;
        return answer;
    }

    private static Task<AcmeClient.Answer> ChangeAsync(AcmeClient client, ECDsa fresh, string? oldKey = null, string? account = null, string? url = null, ECDsa? signer = null)
    {
        var inner = client.Sign(
            $$"""{"alg":"ES256","jwk":{{AcmeClient.Web(fresh).ThumbprintInput}},"url":"{{url ?? client.Url("key-change")}}"}""",
            $$"""{"account":"{{account ?? client.Account}}","oldKey":{{oldKey ?? client.Jwk.ThumbprintInput}}}""",
            input => (signer ?? fresh).SignData(input, HashAlgorithmName.SHA256));
        return client.PostAsync("key-change", inner);
    }
}
