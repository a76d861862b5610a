using System.Security.Cryptography;
using System.Text;
using Candela.Identity.Jose;
using Candela.Identity.Tests.Tools;
using Candela.Identity.Workloads;
using Candela.Model;
using Candela.Tests.Shared;
using Microsoft.Extensions.Logging.Abstractions;

namespace Candela.Identity.Tests.Workloads;

/// <summary>JWT-SVIDs and what attackers make of them.</summary>
public sealed class JwtSvidTests() : WorkloadBench(new ManualTimeProvider())
{
    private const string Web = "spiffe://example.org/acme/shop/web";

    private TrustDomain _domain = null!;

    private ManualTimeProvider Clock => (ManualTimeProvider)Time;

    public override async ValueTask InitializeAsync()
    {
        await base.InitializeAsync();
        _domain = await OpenAsync();
        await Workloads.BeginAsync(Spec("c1"), Token);
    }

    public override async ValueTask DisposeAsync()
    {
        await _domain.DisposeAsync();
        await base.DisposeAsync();
    }

    [Fact]
    public async Task A_token_is_good_for_its_audience_and_time()
    {
        var svid = _domain.IssueJwt("c1", ["db", "cache"]);
        var (id, claims) = await _domain.ValidateJwtAsync(svid.Token, "cache", Token);
        Assert.Equal(Web, id.ToString());
        Assert.Equal(svid.NotAfter.ToUnixTimeSeconds(), claims.GetProperty("exp").GetInt64());
        await RefusedAsync(svid.Token, "another audience", "bank");
        Clock.Advance(TimeSpan.FromMinutes(6));
        await RefusedAsync(svid.Token, "expired");
    }

    [Fact]
    public async Task A_stolen_token_is_refused_after_its_container_ended_also_when_a_namesake_lives()
    {
        var stolen = _domain.IssueJwt("c1", ["db"]).Token;
        await Workloads.EndAsync("c1", Token);
        await RefusedAsync(stolen, "has ended");
        await Workloads.BeginAsync(Spec("c2"), Token);
        await RefusedAsync(stolen, "has ended");
        await _domain.ValidateJwtAsync(_domain.IssueJwt("c2", ["db"]).Token, "db", Token);
        Assert.Throws<CandelaException>(() => _domain.IssueJwt("c1", ["db"]));
    }

    [Fact]
    public async Task Algorithms_and_keys_are_not_for_the_message_to_choose()
    {
        var key = _domain.Bundle.JwtAuthorities.Single();
        var claims = Claims();
        using var mine = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var public64 = Base64UrlText.Encode(mine.ExportParameters(false).Q.X!);
        var public64Y = Base64UrlText.Encode(mine.ExportParameters(false).Q.Y!);

        await RefusedAsync(Join("""{"alg":"none","typ":"JWT"}""", claims, []), "algorithm is none of");
        await RefusedAsync(Join("""{"alg":"None"}""", claims, []), "algorithm is none of");
        await RefusedAsync(Join($$"""{"alg":"HS256","kid":"{{key.Key}}"}""", claims, i => HMACSHA256.HashData(key.Value.Key.Der.Span, i)), "algorithm is none of");
        await RefusedAsync(Join($$"""{"alg":"HS256","kid":"{{key.Key}}"}""", claims, i => HMACSHA256.HashData(Encoding.UTF8.GetBytes(key.Value.ThumbprintInput), i)), "algorithm is none of");
        await RefusedAsync(Join("""{"alg":"ES256"}""", claims, mine), "not signed by a key");
        await RefusedAsync(Join($$"""{"alg":"ES256","kid":"{{key.Key}}"}""", claims, mine), "not signed by a key");
        await RefusedAsync(Join($$"""{"alg":"ES384","kid":"{{key.Key}}"}""", claims, mine), "not signed by a key");
        await RefusedAsync(Join($$"""{"alg":"RS256","kid":"{{key.Key}}"}""", claims, mine), "not signed by a key");
        await RefusedAsync(Join($$$"""{"alg":"ES256","jwk":{"kty":"EC","crv":"P-256","x":"{{{public64}}}","y":"{{{public64Y}}}"}}""", claims, mine), "header besides");
        await RefusedAsync(Join("""{"alg":"ES256","jku":"https://evil.example/keys"}""", claims, mine), "header besides");
        await RefusedAsync(Join("""{"alg":"ES256","x5u":"https://evil.example/c"}""", claims, mine), "header besides");
        await RefusedAsync(Join("""{"alg":"ES256","crit":["b64"],"b64":false}""", claims, mine), "header besides");
        await RefusedAsync(Join("""{"alg":"ES256","typ":"at+jwt"}""", claims, mine), "neither JWT nor JOSE");
        await RefusedAsync(Join("""{"alg":"ES256","kid":"../../etc/passwd"}""", claims, mine), "not signed by a key");
        await RefusedAsync(Join("""{"alg":"ES256","alg":"none"}""", claims, mine), "name twice");
        // The signature of zeros (CVE-2022-21449), and one in DER.
        await RefusedAsync(Join($$"""{"alg":"ES256","kid":"{{key.Key}}"}""", claims, _ => new byte[64]), "not signed by a key");
        await RefusedAsync(Join("""{"alg":"ES256"}""", claims, i => mine.SignData(i, HashAlgorithmName.SHA256, DSASignatureFormat.Rfc3279DerSequence)), "not signed by a key");
    }

    [Fact]
    public async Task Claims_that_are_missing_or_odd_are_refused_though_signed()
    {
        var now = Time.GetUtcNow().ToUnixTimeSeconds();
        foreach (var (claims, why) in new[]
        {
            ($$"""{"sub":"{{Web}}","aud":"db","candela_container":"c1"}""", "no expiration"),
            ($$"""{"sub":"{{Web}}","aud":"db","exp":"{{now + 60}}","candela_container":"c1"}""", "exp is not a time"),
            ($$"""{"sub":"{{Web}}","aud":"db","exp":1e300,"candela_container":"c1"}""", "exp is not a time"),
            ($$"""{"sub":"{{Web}}","aud":"db","exp":-5,"candela_container":"c1"}""", "exp is not a time"),
            ($$"""{"sub":"{{Web}}","exp":{{now + 60}},"candela_container":"c1"}""", "another audience"),
            ($$"""{"sub":"{{Web}}","aud":[],"exp":{{now + 60}},"candela_container":"c1"}""", "another audience"),
            ($$"""{"sub":"{{Web}}","aud":{"db":1},"exp":{{now + 60}},"candela_container":"c1"}""", "not a string"),
            ($$"""{"sub":"{{Web}}","aud":"db","exp":{{now + 60}},"nbf":{{now + 3600}},"candela_container":"c1"}""", "not valid yet"),
            ($$"""{"sub":"{{Web}}","aud":"db","exp":{{now + 60}}}""", "has ended"),
            ($$"""{"sub":"{{Web}}","aud":"db","exp":{{now + 60}},"candela_container":"c7"}""", "has ended"),
            ($$"""{"sub":"spiffe://example.org/acme/shop/db","aud":"db","exp":{{now + 60}},"candela_container":"c1"}""", "has ended"),
            ($$"""{"sub":"spiffe://example.org","aud":"db","exp":{{now + 60}},"candela_container":"c1"}""", "not a workload"),
            ($$"""{"sub":"spiffe://bank.example/a/b/c","aud":"db","exp":{{now + 60}}}""", "not trusted here"),
            ($$"""{"aud":"db","exp":{{now + 60}}}""", "not a workload"),
            ($$"""{"sub":"{{Web}}","sub":"{{Web}}","aud":"db","exp":{{now + 60}},"candela_container":"c1"}""", "name twice"),
        })
            await RefusedAsync(SignForReal(claims), why);
        Assert.Equal(Web, (await _domain.ValidateJwtAsync(SignForReal(Claims()), "db", Token)).Id.ToString());
    }

    [Fact]
    public async Task Mangled_tokens_are_refused_without_harm()
    {
        var good = _domain.IssueJwt("c1", ["db"]).Token;
        byte[][] seeds = [Encoding.ASCII.GetBytes(good), Encoding.ASCII.GetBytes(SignForReal(Claims())), "eyJhbGciOiJub25lIn0.e30."u8.ToArray()];
        var mutator = new Mutator(3);
        for (var i = 0; i < Mutator.Count / 4; i++)
        {
            var token = Encoding.Latin1.GetString(mutator.Next(seeds));
            try
            {
                await _domain.ValidateJwtAsync(token, "db", Token);
                Assert.Contains(token, seeds.Select(Encoding.ASCII.GetString));
            }
            catch (CandelaException e)
            {
                Assert.Equal(ErrorCode.Unauthenticated, e.Code);
            }
        }

        await RefusedAsync(new string('a', 20_000), "more than");
        await RefusedAsync(good + "=", "base64url");
        await RefusedAsync(good + ".e30", "three parts");
        await RefusedAsync(Join("""{"alg":"ES256"}""", new string('[', 200), []), "not JSON");
    }

    [Fact]
    public async Task Keys_are_announced_before_they_sign_and_stay_as_long_as_their_tokens()
    {
        var first = _domain.Bundle.JwtAuthorities.Keys.Single();
        var sequence = _domain.Bundle.Sequence;
        await AdvanceAsync(TimeSpan.FromHours(23) + TimeSpan.FromMinutes(2));
        Assert.Equal(2, _domain.Bundle.JwtAuthorities.Count);
        Assert.True(_domain.Bundle.Sequence > sequence);
        Assert.Equal(first, KeyOf(_domain.IssueJwt("c1", ["db"]).Token));

        await AdvanceAsync(TimeSpan.FromMinutes(57));
        var last = _domain.IssueJwt("c1", ["db"]).Token;
        Assert.Equal(first, KeyOf(last));
        await AdvanceAsync(TimeSpan.FromMinutes(4));
        Assert.NotEqual(first, KeyOf(_domain.IssueJwt("c1", ["db"]).Token));
        await _domain.ValidateJwtAsync(last, "db", Token);

        await AdvanceAsync(TimeSpan.FromMinutes(15));
        Assert.DoesNotContain(first, _domain.Bundle.JwtAuthorities.Keys);
    }

    [Fact]
    public async Task All_controllers_have_the_same_keys()
    {
        await using var second = await OpenAsync();
        await second.ValidateJwtAsync(_domain.IssueJwt("c1", ["db"]).Token, "db", Token);
        Assert.Equal(_domain.Bundle.ToJson(), second.Bundle.ToJson());
        Clock.Advance(TimeSpan.FromHours(24));
        await Task.WhenAll(_domain.MaintainKeysAsync(Token), second.MaintainKeysAsync(Token));
        Assert.Equal(_domain.Bundle.JwtAuthorities.Keys, second.Bundle.JwtAuthorities.Keys);
    }

    private Task<TrustDomain> OpenAsync() => TrustDomain.OpenAsync(Store, Secrets, Authority, Workloads, WorkloadOptions, Time, NullLogger<TrustDomain>.Instance, Token);

    private async Task AdvanceAsync(TimeSpan time)
    {
        Clock.Advance(time);
        await _domain.MaintainKeysAsync(Token);
    }

    private string Claims() => $$"""{"sub":"{{Web}}","aud":"db","exp":{{Time.GetUtcNow().ToUnixTimeSeconds() + 60}},"candela_container":"c1"}""";

    private static string KeyOf(string token) => StrictJson.ReadObject(Base64UrlText.TryDecode(token.Split('.')[0]), "header").GetProperty("kid").GetString()!;

    /// <summary>Signed with the platform's own key: only the content is wrong.</summary>
    private string SignForReal(string claims)
    {
        var (id, key) = _domain.SigningKey();
        return Join($$"""{"alg":"ES256","kid":"{{id}}"}""", claims, key.Sign);
    }

    private static string Join(string header, string claims, ECDsa key) => Join(header, claims, input => key.SignData(input, HashAlgorithmName.SHA256));

    private static string Join(string header, string claims, Func<byte[], byte[]> sign)
    {
        var input = $"{Base64UrlText.Encode(header)}.{Base64UrlText.Encode(claims)}";
        return $"{input}.{Base64UrlText.Encode(sign(Encoding.ASCII.GetBytes(input)))}";
    }

    private static string Join(string header, string claims, byte[] signature) => Join(header, claims, _ => signature);

    private async Task RefusedAsync(string token, string why, string audience = "db")
    {
        var refused = await Assert.ThrowsAsync<CandelaException>(() => _domain.ValidateJwtAsync(token, audience, Token));
        Assert.Equal(ErrorCode.Unauthenticated, refused.Code);
        Assert.Contains(why, refused.Message, StringComparison.Ordinal);
    }
}
