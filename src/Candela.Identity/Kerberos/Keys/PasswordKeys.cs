using Candela.Identity.Secrets;
using Candela.Identity.Storage;

namespace Candela.Identity.Kerberos.Keys;

/// <summary>Kerberos keys of passwords, made while a password is known: when it is set, and at a sign-in where there are none. Where there is no KDC, none are made.</summary>
internal sealed class PasswordKeys(ISecretBox secrets, KerberosOptions? options = null)
{
    /// <summary>There is a KDC.</summary>
    public bool IsOn => options is not null;

    /// <summary>Makes the keys of a password.</summary>
    public (string Salt, KerberosKey[] Keys)? Make(string password)
    {
        if (!IsOn)
            return null;
        var salt = KeyMaker.MakeSalt();
        return (salt, KeyMaker.OfPassword(password, salt));
    }

    /// <summary>Keys that follow an account's former ones; of nothing, none, for those of a former password must not stay.</summary>
    public KeySet? Next(KeySet? former, (string Salt, KerberosKey[] Keys)? made, Guid accountId) =>
        former is null && made is null ? null : KeySet.Next(former, made?.Salt, made?.Keys, IdentityKeys.Credential(accountId), secrets);
}
