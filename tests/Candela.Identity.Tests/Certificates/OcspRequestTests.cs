using System.Formats.Asn1;
using Candela.Identity.Certificates.Revocation;
using Candela.Identity.Tests.Tools;

namespace Candela.Identity.Tests.Certificates;

public sealed class OcspRequestTests : CertificateBench
{
    [Fact]
    public async Task What_is_beyond_a_limit_is_refused()
    {
        var one = await MakeAsync(1);
        Assert.Single(OcspRequest.Read(one).Certificates);
        Assert.NotNull(OcspRequest.Read(one).Nonce);
        Assert.Equal(OcspRequest.CertificateCount, OcspRequest.Read(await MakeAsync(OcspRequest.CertificateCount)).Certificates.Count);
        var many = await MakeAsync(OcspRequest.CertificateCount + 1);
        Assert.Throws<AsnContentException>(() => OcspRequest.Read(many));
        Assert.Throws<AsnContentException>(() => OcspRequest.Read(new byte[OcspRequest.DerBytes + 1]));
        Assert.Throws<AsnContentException>(() => OcspRequest.Read(Convert.FromHexString("3005300330013000")));
    }

    [Fact]
    public async Task Mangled_requests_are_answered_without_harm()
    {
        byte[][] seeds = [await MakeAsync(1), await MakeAsync(3)];
        var mutator = new Mutator(2);
        for (var i = 0; i < Mutator.Count; i++)
        {
            try
            {
                var read = OcspRequest.Read(mutator.Next(seeds));
                Assert.InRange(read.Certificates.Count, 1, OcspRequest.CertificateCount);
            }
            catch (AsnContentException)
            {
                // The responder says "malformed request".
            }
        }

        Assert.Equal(Convert.FromHexString("30030a0101"), await Authority.AnswerOcspAsync("junk"u8.ToArray(), Token));
    }

    private async Task<byte[]> MakeAsync(int count)
    {
        var (certificate, _) = await Authority.IssueWithKeyAsync(ServerOrder("a.example"), Token);
        await WriteAsync(certificate);
        var serials = Enumerable.Range(1, count).SelectMany(i => new[] { "-serial", $"{i}" });
        await Tool.OpenSslAsync(Folder.Path, ["ocsp", "-issuer", "chain.pem", .. serials, "-reqout", "request.der"]);
        return await File.ReadAllBytesAsync(Folder.File("request.der"), Token);
    }
}
