using System.Security.Cryptography;
using Candela.Identity.Authentication;

namespace Candela.Identity.Tests.Authentication;

public sealed class PasswordHashTests
{
    [Fact]
    public void Verifies_what_the_reference_program_made()
    {
        // printf 'password' | argon2 somesalt -id -t 2 -m 16 -p 1 (test vector of phc-winner-argon2/src/test.c).
        const string Hash = "$argon2id$v=19$m=65536,t=2,p=1$c29tZXNhbHQ$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc";
        Assert.True(PasswordHash.Verify("password", Hash));
        Assert.False(PasswordHash.Verify("Password", Hash));
        Assert.True(PasswordHash.IsOutdated(Hash, PasswordCost.Default));
    }

    [Fact]
    public void The_same_password_never_looks_the_same_and_the_cost_is_in_the_text()
    {
        var cost = new PasswordCost(64, 3, 2);
        var hash = PasswordHash.Make("a long secret", cost);
        Assert.StartsWith("$argon2id$v=19$m=64,t=3,p=2$", hash, StringComparison.Ordinal);
        Assert.NotEqual(hash, PasswordHash.Make("a long secret", cost));
        Assert.True(PasswordHash.Verify("a long secret", hash));
        Assert.False(PasswordHash.IsOutdated(hash, cost));
    }

    [Theory]
    [InlineData("")]
    [InlineData("password")]
    [InlineData("$argon2id$v=19$m=4294967295,t=2,p=1$c29tZXNhbHQ$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc")]
    [InlineData("$argon2id$v=19$m=65536,t=4000000000,p=1$c29tZXNhbHQ$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc")]
    [InlineData("$argon2id$v=19$m=65536,t=2,p=1$c2$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc")]
    [InlineData("$argon2id$v=19$m=65536,t=2,p=1$c29tZXNhbHQ$")]
    [InlineData("$argon2id$v=19$m=65536,t=2,p=1$c29tZXNhbHQ")]
    [InlineData("$argon2i$v=19$m=65536,t=2,p=1$c29tZXNhbHQ$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc")]
    public void A_damaged_hash_or_an_unbearable_cost_is_refused(string hash)
    {
        Assert.False(PasswordHash.IsValid(hash));
        Assert.Throws<CryptographicException>(() => PasswordHash.Verify("password", hash));
    }
}
