using System.Security.Cryptography;
using System.Text;
using Candela.Identity.Accounts;
using Candela.Identity.Saml.Protocol;
using Candela.Identity.Saml.Storage;
using Candela.Identity.Secrets;
using Candela.Identity.Storage;
using Candela.State;

namespace Candela.Identity.Saml.Providers;

/// <summary>
/// By what a service provider knows an account. A persistent identifier (saml-core-2.0-os, 8.3.7) is the same for ever at one service provider
/// and another at each: a keyed digest, so that nothing has to be stored, and nobody can tell from two whether they are of one account.
/// </summary>
internal sealed class NameIdentifiers(IStateStore store, ISecretBox secrets, IDirectory directory)
{
    private readonly InstallationSecret _key = new(store, secrets, SamlStateKeys.PairwiseKey);

    /// <summary>The kind that a format means; null: another.</summary>
    public static SamlNameIdKind? KindOf(string? format) => format switch
    {
        SamlNames.PersistentNameId => SamlNameIdKind.Persistent,
        SamlNames.EmailNameId => SamlNameIdKind.Email,
        SamlNames.TransientNameId => SamlNameIdKind.Transient,
        _ => null,
    };

    /// <summary>The format of a kind.</summary>
    public static string FormatOf(SamlNameIdKind kind) => kind switch
    {
        SamlNameIdKind.Persistent => SamlNames.PersistentNameId,
        SamlNameIdKind.Email => SamlNames.EmailNameId,
        _ => SamlNames.TransientNameId,
    };

    /// <summary>An account's identifier; null: it has none of this kind.</summary>
    public async ValueTask<string?> OfAsync(DirectoryEntry account, SamlServiceProvider provider, SamlNameIdKind kind, CancellationToken cancellationToken) => kind switch
    {
        SamlNameIdKind.Persistent => Convert.ToHexStringLower(HMACSHA256.HashData(
            await _key.GetAsync(cancellationToken), Encoding.UTF8.GetBytes($"{account.Id:N}{provider.EntityId}"))),
        SamlNameIdKind.Email => MailOf(account),
        _ => MessageWriter.NewId(),
    };

    /// <summary>A mail address that says which account it is: no other of the domain has it.</summary>
    private string? MailOf(DirectoryEntry account) =>
        account is User { Mail: { Length: > 0 and <= SamlLimits.NameIdLength } mail } &&
        !directory.Current.Entries.Any(e => e.DomainId == account.DomainId && e.Id != account.Id && e is User { Mail: { } other } && string.Equals(other, mail, StringComparison.OrdinalIgnoreCase))
            ? mail
            : null;
}
