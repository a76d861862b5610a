using Candela.Images.Naming;
using Candela.Model;

namespace Candela.Images.Tests.Naming;

public sealed class ImageReferenceTests
{
    private const string Digest = "sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";

    [Theory]
    [InlineData("alpine", "docker.io/library/alpine:latest", "alpine:latest")]
    [InlineData("alpine:3.19", "docker.io/library/alpine:3.19", "alpine:3.19")]
    [InlineData("library/alpine", "docker.io/library/alpine:latest", "alpine:latest")]
    [InlineData("index.docker.io/alpine", "docker.io/library/alpine:latest", "alpine:latest")]
    [InlineData("docker.io/bitnami/redis", "docker.io/bitnami/redis:latest", "bitnami/redis:latest")]
    [InlineData("docker.io/library/a/b", "docker.io/library/a/b:latest", "library/a/b:latest")]
    [InlineData("ghcr.io/a/b/c:v1", "ghcr.io/a/b/c:v1", "ghcr.io/a/b/c:v1")]
    [InlineData("localhost/a", "localhost/a:latest", "localhost/a:latest")]
    [InlineData("localhost:5000/a:b", "localhost:5000/a:b", "localhost:5000/a:b")]
    [InlineData("[::1]:5000/a", "[::1]:5000/a:latest", "[::1]:5000/a:latest")]
    [InlineData("UPPER/a", "UPPER/a:latest", "UPPER/a:latest")]
    [InlineData("a__b/c.d-e--f", "docker.io/a__b/c.d-e--f:latest", "a__b/c.d-e--f:latest")]
    [InlineData("a@" + Digest, "docker.io/library/a@" + Digest, "a@" + Digest)]
    [InlineData("a:1@" + Digest, "docker.io/library/a:1@" + Digest, "a:1@" + Digest)]
    public void Is_normalised_as_Docker_does(string text, string normalised, string familiar)
    {
        ImageReference reference = ImageReference.Parse(text).WithDefaultTag();
        Assert.Equal(normalised, reference.ToString());
        Assert.Equal(familiar, reference.Familiar);
        Assert.Equal(reference, ImageReference.Parse(normalised));
        Assert.Equal(reference, ImageReference.Parse(familiar));
    }

    [Theory]
    [InlineData("")]
    [InlineData(":")]
    [InlineData("a:")]
    [InlineData("a@")]
    [InlineData(" a")]
    [InlineData("a\n")]
    [InlineData("a b")]
    [InlineData("/a")]
    [InlineData("a/")]
    [InlineData("a//b")]
    [InlineData("a/../b")]
    [InlineData("-a")]
    [InlineData("a-")]
    [InlineData("a___b")]
    [InlineData("a..b")]
    [InlineData("a:.b")]
    [InlineData("https://a/b")]
    [InlineData("a@sha256:abc")]
    [InlineData("a@md5:0123456789abcdef0123456789abcdef")]
    [InlineData("a@" + Digest + "0")]
    public void Refuses_what_is_no_reference(string text)
    {
        CandelaException e = Assert.Throws<CandelaException>(() => ImageReference.Parse(text));
        Assert.Equal(ErrorCode.InvalidArgument, e.Code);
        Assert.Equal("invalid reference format", e.Message);
    }

    [Fact]
    public void Refuses_capitals_ids_and_excess_in_words_of_their_own()
    {
        Assert.Equal("invalid reference format: repository name (library/Alpine) must be lowercase", Message("Alpine"));
        Assert.Contains("cannot specify 64-byte hexadecimal strings", Message(Digest["sha256:".Length..]), StringComparison.Ordinal);
        Assert.Contains("must not be more than 255 characters", Message("a/" + new string('b', 254)), StringComparison.Ordinal);
        Assert.Equal("invalid reference format", Message("a:" + new string('b', 129)));
        Assert.Equal("invalid reference format", Message(new string('b', 10_000)));
        Assert.Equal("a:" + new string('b', 128), ImageReference.Parse("a:" + new string('b', 128)).Familiar);

        static string Message(string text) => Assert.Throws<CandelaException>(() => ImageReference.Parse(text)).Message;
    }
}
