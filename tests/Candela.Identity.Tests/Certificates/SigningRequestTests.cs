using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Candela.Identity.Certificates;
using Candela.Identity.Certificates.Requests;
using Candela.Identity.Tests.Tools;
using Candela.Model;

namespace Candela.Identity.Tests.Certificates;

public sealed class SigningRequestTests
{
    private static readonly ECDsa Key = ECDsa.Create(ECCurve.NamedCurves.nistP256);

    [Fact]
    public void Key_and_names_are_read()
    {
        var read = SigningRequest.Read(Make(san => san.AddDnsName("a.example")));
        Assert.Equal(CertificateKeyType.EcdsaP256, read.PublicKey.Type);
        Assert.Equal("a.example", read.CommonName);
        Assert.Equal(["a.example"], read.Names.Dns);
        Assert.Equal(Key.ExportSubjectPublicKeyInfo(), read.PublicKey.Der.ToArray());
    }

    [Fact]
    public void Another_ones_key_is_refused()
    {
        // Somebody signs a request that names a key which is not his.
        using var mine = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest(new X500DistinguishedName("CN=a.example"), new PublicKey(Key), HashAlgorithmName.SHA256);
        var der = request.CreateSigningRequest(X509SignatureGenerator.CreateForECDsa(mine));
        Refused(der, "not signed by the key");
    }

    [Fact]
    public void A_changed_request_is_refused()
    {
        var der = Make(san => san.AddDnsName("aaaa.example"));
        var at = der.AsSpan().LastIndexOf("aaaa.example"u8);
        der[at] = (byte)'b';
        Refused(der, "not signed by the key");
    }

    [Fact]
    public void Weak_and_odd_keys_are_refused()
    {
        using (var small = RSA.Create(1024))
            Refused(new CertificateRequest("CN=a", small, HashAlgorithmName.SHA256, RSASignaturePadding.Pkcs1).CreateSigningRequest(), "2048 to 4096 bits");
        using (var large = ECDsa.Create(ECCurve.NamedCurves.nistP521))
            Refused(new CertificateRequest("CN=a", large, HashAlgorithmName.SHA512).CreateSigningRequest(), "neither P-256 nor P-384");
        using (var pss = RSA.Create(2048))
            Refused(new CertificateRequest("CN=a", pss, HashAlgorithmName.SHA256, RSASignaturePadding.Pss).CreateSigningRequest(), "neither ECDSA nor RSA");
#pragma warning disable CA5350 // that is the test
        Refused(new CertificateRequest("CN=a", Key, HashAlgorithmName.SHA256).CreateSigningRequest(new Sha1Claim(Key)), "neither ECDSA nor RSA");
#pragma warning restore CA5350
    }

    [Fact]
    public async Task Explicit_curve_parameters_are_refused()
    {
        // The attack of CVE-2020-0601: own generator, known public key.
        using var folder = new Candela.Tests.Shared.TemporaryFolder();
        await Tool.OpenSslAsync(folder.Path, "ecparam", "-name", "prime256v1", "-genkey", "-param_enc", "explicit", "-noout", "-out", "key.pem");
        await Tool.OpenSslAsync(folder.Path, "req", "-new", "-key", "key.pem", "-subj", "/CN=a.example", "-outform", "der", "-out", "request.der");
        Refused(await File.ReadAllBytesAsync(folder.File("request.der"), TestContext.Current.CancellationToken), "public key is refused");
    }

    [Fact]
    public void A_point_that_is_not_on_the_curve_is_refused()
    {
        var der = Make(_ => { });
        var at = der.AsSpan().IndexOf(Key.ExportParameters(false).Q.X);
        der[at] ^= 1;
        Refused(der, "not signed by the key");
    }

    [Theory]
    [InlineData("subjectAltName=DNS:a.example,dirName:d")]
    [InlineData("subjectAltName=otherName:1.2.3.4;UTF8:evil")]
    [InlineData("subjectAltName=RID:1.2.3.4")]
    public async Task Names_of_other_kinds_are_refused(string extension)
    {
        using var folder = new Candela.Tests.Shared.TemporaryFolder();
        var request = await OpenSslAsync(folder, extension);
        Refused(request, "neither a host name");
    }

    [Theory]
    [InlineData("basicConstraints=CA:TRUE", "certificate of an authority")]
    [InlineData("subjectAltName=DER:30:0a:82:08:61:2e:62:00:63:2e:64:65", "byte 0x00")]
    [InlineData("subjectAltName=DER:30:06:87:04:0a:00:00:01", null)]
    [InlineData("subjectAltName=DER:30:07:87:05:0a:00:00:01:02", "4 nor 16 bytes")]
    [InlineData("subjectAltName=DER:31:00", "not PKCS #10")]
    [InlineData("subjectAltName=DER:30:81:03:82:01:61", "not PKCS #10")]
    public async Task Extensions_that_deceive_are_refused(string extension, string? why)
    {
        using var folder = new Candela.Tests.Shared.TemporaryFolder();
        var request = await OpenSslAsync(folder, extension);
        if (why is null)
            SigningRequest.Read(request);
        else
            Refused(request, why);
    }

    [Fact]
    public void Pem_is_read_within_bounds()
    {
        var der = Make(san => san.AddDnsName("a.example"));
        Assert.Equal("a.example", SigningRequest.ReadPem(PemEncoding.WriteString("CERTIFICATE REQUEST", der)).CommonName);
        foreach (var bad in new[] { "", "junk", PemEncoding.WriteString("CERTIFICATE", der), new string('-', 100_000), "-----BEGIN CERTIFICATE REQUEST-----" })
            Assert.Throws<CandelaException>(() => SigningRequest.ReadPem(bad));
        Assert.Throws<CandelaException>(() => SigningRequest.Read(new byte[SigningRequest.DerBytes + 1]));
    }

    [Fact]
    public void Mangled_requests_are_refused_without_harm()
    {
        using var rsa = RSA.Create(2048);
        byte[][] seeds =
        [
            Make(san => { san.AddDnsName("a.example"); san.AddIpAddress(System.Net.IPAddress.Loopback); san.AddEmailAddress("a@b.example"); }),
            new CertificateRequest("CN=r.example, O=x, C=CH", rsa, HashAlgorithmName.SHA384, RSASignaturePadding.Pkcs1).CreateSigningRequest(),
        ];
        var mutator = new Mutator(1);
        var before = GC.GetAllocatedBytesForCurrentThread();
        for (var i = 0; i < Mutator.Count; i++)
        {
            var input = mutator.Next(seeds);
            try
            {
                var read = SigningRequest.Read(input);
                Assert.True(read.Names.Count <= 100);
            }
            catch (CandelaException e)
            {
                Assert.Equal(ErrorCode.InvalidArgument, e.Code);
            }
        }

        Assert.InRange((GC.GetAllocatedBytesForCurrentThread() - before) / Mutator.Count, 0, 100_000);
    }

    private static byte[] Make(Action<SubjectAlternativeNameBuilder> names)
    {
        var request = new CertificateRequest("CN=a.example", Key, HashAlgorithmName.SHA256);
        var san = new SubjectAlternativeNameBuilder();
        names(san);
        request.CertificateExtensions.Add(san.Build());
        return request.CreateSigningRequest();
    }

    private static async Task<byte[]> OpenSslAsync(Candela.Tests.Shared.TemporaryFolder folder, string extension)
    {
        await File.WriteAllTextAsync(folder.File("req.cnf"), $"[req]\ndistinguished_name=dn\nreq_extensions=v3\nprompt=no\n[dn]\nCN=a.example\n[d]\nCN=x\n[v3]\n{extension}\n");
        await Tool.OpenSslAsync(folder.Path, "req", "-new", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout", "k.pem", "-config", "req.cnf", "-outform", "der", "-out", "request.der");
        return await File.ReadAllBytesAsync(folder.File("request.der"));
    }

    private static void Refused(byte[] der, string why)
    {
        var refused = Assert.Throws<CandelaException>(() => SigningRequest.Read(der));
        Assert.Equal(ErrorCode.InvalidArgument, refused.Code);
        Assert.Contains(why, refused.Message, StringComparison.Ordinal);
    }

    /// <summary>Signs with SHA-1.</summary>
    private sealed class Sha1Claim(ECDsa key) : X509SignatureGenerator
    {
        public override byte[] GetSignatureAlgorithmIdentifier(HashAlgorithmName hashAlgorithm) => Convert.FromHexString("300906072a8648ce3d0401");

        public override byte[] SignData(byte[] data, HashAlgorithmName hashAlgorithm) => key.SignData(data, HashAlgorithmName.SHA1, DSASignatureFormat.Rfc3279DerSequence);

        protected override PublicKey BuildPublicKey() => new(key);
    }
}
