using Candela.Identity.Kerberos.Keys;
using Candela.Identity.Passkeys;

namespace Candela.Identity.Authentication;

/// <summary>What an account proves itself by, as stored. All of it changes together.</summary>
internal sealed record CredentialDocument
{
    public static readonly CredentialDocument None = new();

    /// <summary>See <see cref="Authentication.PasswordHash"/>; null: no password.</summary>
    public string? PasswordHash { get; init; }

    /// <summary>When the password was set.</summary>
    public DateTimeOffset PasswordChangedAt { get; init; }

    /// <summary>The password is only good for choosing another one.</summary>
    public bool MustChange { get; init; }

    /// <summary>Hashes of former passwords, the latest first.</summary>
    public string[] History { get; init; } = [];

    /// <summary>Key of one-time codes that counts.</summary>
    public TotpDocument? Totp { get; init; }

    /// <summary>Key of one-time codes that waits for its first code.</summary>
    public byte[]? SealedNewTotpSecret { get; init; }

    /// <summary>Passkeys; never two with the same id.</summary>
    public PasskeyDocument[] Passkeys { get; init; } = [];

    /// <summary>One of them is asked for after the password.</summary>
    public bool PasskeyRequired { get; init; }

    /// <summary>Digests of recovery codes that are left.</summary>
    public byte[][] RecoveryDigests { get; init; } = [];

    /// <summary>Kerberos keys; null: never any.</summary>
    public KeySet? Kerberos { get; init; }
}

/// <summary>A key of one-time codes.</summary>
/// <param name="SealedSecret">The key, sealed for the document's place in the store.</param>
/// <param name="LastStep">Step of the last code that was taken: neither it nor those before it count again (RFC 6238, 5.2).</param>
internal sealed record TotpDocument(byte[] SealedSecret, long LastStep);

/// <summary>Failures of names that share a slot.</summary>
/// <param name="Names">One for each name.</param>
internal sealed record FailureSlot(FailureDocument[] Names);

/// <summary>Failures of one name.</summary>
/// <param name="NameDigest">Keyed digest of the name.</param>
/// <param name="Count">Failures in a row.</param>
/// <param name="LastAt">When the last one was.</param>
/// <param name="LockedUntil">End of the lock that it brought; null: none.</param>
internal sealed record FailureDocument(string NameDigest, int Count, DateTimeOffset LastAt, DateTimeOffset? LockedUntil);
