using System.Numerics;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Candela.Identity.Certificates;
using Candela.Identity.Certificates.Revocation;
using Candela.Tests.Shared;

namespace Candela.Identity.Tests.Certificates;

public sealed class CrlPublisherTests() : CertificateBench(new ManualTimeProvider())
{
    private ManualTimeProvider Clock => (ManualTimeProvider)Time;

    [Fact]
    public async Task A_list_is_kept_until_something_is_revoked_or_half_its_time_is_over()
    {
        var (certificate, _) = await Authority.IssueWithKeyAsync(ServerOrder("a.example"), Token);
        var (another, _) = await Authority.IssueWithKeyAsync(ServerOrder("b.example"), Token);
        var first = await ReadAsync(certificate.Authority);
        Clock.Advance(TimeSpan.FromHours(11));
        Assert.Equal(first.Number, (await ReadAsync(certificate.Authority)).Number);
        Clock.Advance(TimeSpan.FromHours(2));
        Assert.Equal(first.Number + 1, (await ReadAsync(certificate.Authority)).Number);

        // Upkeep may have made that list an hour ago; this one is made now.
        await Authority.RevokeAsync(another.Serial, RevocationReason.Unspecified, Token);
        Clock.Advance(CrlPublisher.IntervalMinimum);
        var second = await ReadAsync(certificate.Authority);
        Assert.True(second.Builder.RemoveEntry(SerialNumber.Signed(another.Serial)));

        await Authority.RevokeAsync(certificate.Serial, RevocationReason.Unspecified, Token);
        Assert.False((await ReadAsync(certificate.Authority)).Builder.RemoveEntry(SerialNumber.Signed(certificate.Serial)));
        Clock.Advance(CrlPublisher.IntervalMinimum);
        var third = await ReadAsync(certificate.Authority);
        Assert.Equal(second.Number + 1, third.Number);
        Assert.True(third.Builder.RemoveEntry(SerialNumber.Signed(certificate.Serial)));
    }

    [Fact]
    public async Task Many_revocations_within_a_second_make_one_list_with_all_of_them()
    {
        var serials = new List<string>();
        for (var i = 0; i < 40; i++)
        {
            var (certificate, _) = await Authority.IssueWithKeyAsync(ServerOrder($"n{i}.example"), Token);
            serials.Add(certificate.Serial);
        }

        var first = await ReadAsync(Authority.InUse.General);
        foreach (var serial in serials)
        {
            await Authority.RevokeAsync(serial, RevocationReason.CessationOfOperation, Token);
            await ReadAsync(Authority.InUse.General);
        }

        Clock.Advance(CrlPublisher.IntervalMinimum);
        var list = await ReadAsync(Authority.InUse.General);
        Assert.Equal(first.Number + 1, list.Number);
        Assert.All(serials, serial => Assert.True(list.Builder.RemoveEntry(SerialNumber.Signed(serial))));
    }

    [Fact]
    public async Task A_certificate_leaves_the_list_one_list_after_its_end_and_the_records_later()
    {
        var (certificate, _) = await Authority.IssueWithKeyAsync(ServerOrder("a.example") with { Lifetime = TimeSpan.FromDays(1) }, Token);
        await Authority.RevokeAsync(certificate.Serial, RevocationReason.Unspecified, Token);
        Clock.Advance(TimeSpan.FromHours(25));
        Assert.True((await ReadAsync(certificate.Authority)).Builder.RemoveEntry(SerialNumber.Signed(certificate.Serial)));
        Clock.Advance(TimeSpan.FromHours(25));
        Assert.False((await ReadAsync(certificate.Authority)).Builder.RemoveEntry(SerialNumber.Signed(certificate.Serial)));

        await Authority.MaintainAsync(Token);
        Assert.NotNull(await Authority.Records.FindAsync(certificate.Authority, certificate.Serial, Token));
        Assert.Empty((await Store.RangeAsync(CertificateKeys.Revocations, null, 10, Token)).Entries);
        Clock.Advance(TimeSpan.FromDays(31));
        await Authority.MaintainAsync(Token);
        Assert.Null(await Authority.Records.FindAsync(certificate.Authority, certificate.Serial, Token));
    }

    [Fact]
    public async Task Two_controllers_never_give_out_two_lists_of_one_number()
    {
        await using var second = await OpenAuthorityAsync();
        var id = Authority.InUse.General;
        for (var i = 0; i < 5; i++)
        {
            Clock.Advance(TimeSpan.FromHours(13));
            var lists = await Task.WhenAll(Authority.GetCrlAsync(id, Token), second.GetCrlAsync(id, Token));
            Assert.Equal(lists[0].Der, lists[1].Der);
        }
    }

    private async Task<(CertificateRevocationListBuilder Builder, BigInteger Number)> ReadAsync(string authority)
    {
        var (der, next) = await Authority.GetCrlAsync(authority, Token);
        Assert.True(next > Time.GetUtcNow());
        var builder = CertificateRevocationListBuilder.Load(der.Span, out var number, out _);
        using var issuer = X509CertificateLoader.LoadCertificate(Authority.FindCertificate(authority)!.Value.Span);
        using var key = issuer.GetECDsaPublicKey()!;
        CheckSignature(der, key);
        return (builder, number);
    }

    private static void CheckSignature(ReadOnlyMemory<byte> der, ECDsa key)
    {
        var list = new System.Formats.Asn1.AsnReader(der, System.Formats.Asn1.AsnEncodingRules.DER).ReadSequence();
        var signed = list.ReadEncodedValue();
        list.ReadSequence();
        Assert.True(key.VerifyData(signed.Span, list.ReadBitString(out _), HashAlgorithmName.SHA256, DSASignatureFormat.Rfc3279DerSequence));
    }
}
