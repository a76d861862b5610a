using System.Security.Cryptography;
using Candela.Identity.Secrets;
using Candela.Tests.Shared;

namespace Candela.Identity.Tests.Secrets;

public sealed class SecretBoxTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();
    private readonly byte[] _secret = "a private key"u8.ToArray();

    private string KeyPath => _folder.File("keys/secrets.key");

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void What_was_sealed_opens_after_a_restart()
    {
        byte[] envelope;
        using (var box = SecretBox.Open(KeyPath))
            envelope = box.Seal(_secret, "/ca/root");
        using var again = SecretBox.Open(KeyPath);
        Assert.Equal(_secret, again.Open(envelope, "/ca/root"));
        Assert.Equal(-1, envelope.AsSpan().IndexOf(_secret));
    }

    [Fact]
    public void The_same_secret_never_looks_the_same()
    {
        using var box = SecretBox.Open(KeyPath);
        Assert.NotEqual(box.Seal(_secret, "a"), box.Seal(_secret, "a"));
    }

    [Fact]
    public void An_envelope_opens_only_where_it_belongs()
    {
        using var box = SecretBox.Open(KeyPath);
        var envelope = box.Seal(_secret, "/users/ada");
        Assert.ThrowsAny<CryptographicException>(() => box.Open(envelope, "/users/eve"));
    }

    [Fact]
    public void Any_changed_or_missing_byte_is_noticed()
    {
        using var box = SecretBox.Open(KeyPath);
        var envelope = box.Seal(_secret, "a");
        for (int i = 0; i < envelope.Length; i++)
        {
            var changed = (byte[])envelope.Clone();
            changed[i] ^= 1;
            Assert.ThrowsAny<CryptographicException>(() => box.Open(changed, "a"));
            Assert.ThrowsAny<CryptographicException>(() => box.Open(envelope.AsSpan(0, i), "a"));
        }
    }

    [Fact]
    public void The_key_file_is_for_its_owner_only()
    {
        SecretBox.Open(KeyPath).Dispose();
        Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(KeyPath));
        File.SetUnixFileMode(KeyPath, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.GroupRead);
        var refused = Assert.Throws<InvalidDataException>(() => SecretBox.Open(KeyPath));
        Assert.Contains("chmod 600", refused.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_new_master_key_seals_and_the_old_one_still_opens()
    {
        byte[] old;
        using (var box = SecretBox.Open(KeyPath))
            old = box.Seal(_secret, "a");
        File.AppendAllText(KeyPath, $"0badcafe {Convert.ToBase64String(RandomNumberGenerator.GetBytes(32))}\n");
        using var changed = SecretBox.Open(KeyPath);
        Assert.Equal(_secret, changed.Open(old, "a"));
        var fresh = changed.Seal(_secret, "a");
        Assert.Equal("0BADCAFE", Convert.ToHexString(fresh.AsSpan(1, 4)));
        Assert.Equal(_secret, changed.Open(fresh, "a"));
    }

    [Theory]
    [InlineData("")]
    [InlineData("# nothing\n")]
    [InlineData("00000001 c2hvcnQ=\n")]
    [InlineData("zzzzzzzz AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\n")]
    [InlineData("00000001 AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\n00000001 AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\n")]
    public void A_damaged_key_file_is_refused_and_left_alone(string content)
    {
        Directory.CreateDirectory(Path.GetDirectoryName(KeyPath)!);
        File.WriteAllText(KeyPath, content);
        File.SetUnixFileMode(KeyPath, UnixFileMode.UserRead | UnixFileMode.UserWrite);
        Assert.Throws<InvalidDataException>(() => SecretBox.Open(KeyPath));
        Assert.Equal(content, File.ReadAllText(KeyPath));
    }
}
