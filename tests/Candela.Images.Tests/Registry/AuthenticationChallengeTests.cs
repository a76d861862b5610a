using Candela.Images.Registry;

namespace Candela.Images.Tests.Registry;

public sealed class AuthenticationChallengeTests
{
    [Fact]
    public void Reads_docker_hubs_challenge()
    {
        var challenge = Assert.Single(Parse("""Bearer realm="https://auth.docker.io/token",service="registry.docker.io",scope="repository:library/alpine:pull",error="invalid_token" """));

        Assert.True(challenge.Is("bearer"));
        Assert.Equal("https://auth.docker.io/token", challenge["REALM"]);
        Assert.Equal("registry.docker.io", challenge["service"]);
        Assert.Equal("repository:library/alpine:pull", challenge["scope"]);
        Assert.Null(challenge["nonce"]);
    }

    [Fact]
    public void Keeps_commas_quotes_and_equals_signs_of_quoted_values()
    {
        var challenge = Assert.Single(Parse("""Bearer realm="https://a/?x=1,2", scope="repository:a:pull,push", note="say \"hi\" \\" """));

        Assert.Equal("https://a/?x=1,2", challenge["realm"]);
        Assert.Equal("repository:a:pull,push", challenge["scope"]);
        Assert.Equal("""say "hi" \""", challenge["note"]);
    }

    [Fact]
    public void Reads_several_challenges_of_one_and_of_several_headers()
    {
        var challenges = Parse("Negotiate, Basic realm=\"a\", charset=UTF-8, Bearer realm = \"b\" , scope=c", "Digest nonce=1");

        Assert.Equal(["Negotiate", "Basic", "Bearer", "Digest"], challenges.Select(static one => one.Scheme));
        Assert.Equal("UTF-8", challenges[1]["charset"]);
        Assert.Equal("b", challenges[2]["realm"]);
        Assert.Equal("c", challenges[2]["scope"]);
    }

    [Fact]
    public void Lets_the_first_of_equal_parameters_count()
        => Assert.Equal("a", Assert.Single(Parse("Bearer realm=\"a\",Realm=\"b\""))["realm"]);

    [Theory]
    [InlineData("")]
    [InlineData(" , ,")]
    [InlineData("=")]
    [InlineData("\"Bearer\"")]
    public void Finds_none_where_there_is_none(string value) => Assert.Empty(Parse(value));

    [Theory]
    [InlineData("Bearer realm=\"unclosed")]
    [InlineData("Bearer realm=\"unclosed\\")]
    [InlineData("Bearer realm=")]
    [InlineData("Bearer realm=,")]
    public void Takes_no_value_from_a_damaged_parameter(string value)
        => Assert.Null(Parse(value)[0]["realm"]);

    [Fact]
    public void Ignores_an_endless_header() => Assert.Empty(Parse("Bearer realm=\"" + new string('a', 20_000) + "\""));

    private static IReadOnlyList<AuthenticationChallenge> Parse(params string[] values) => AuthenticationChallenge.Parse(values);
}
