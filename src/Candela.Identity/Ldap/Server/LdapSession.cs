using Candela.Identity.Accounts;
using Candela.Identity.Administration;
using Candela.Identity.Ldap.Operations;
using Candela.Identity.Ldap.Protocol;

namespace Candela.Identity.Ldap.Server;

/// <summary>Who a connection is for, and how it came (RFC 4513, 4: its authorization state).</summary>
internal sealed class LdapSession
{
    /// <summary>Where the client is: an address, or <c>local</c>.</summary>
    public required string From { get; init; }

    /// <summary>Client and server are on this host, and nobody else can listen.</summary>
    public required bool IsLocal { get; init; }

    /// <summary>TLS protects the connection.</summary>
    public bool IsTls { get; set; }

    /// <summary>Certificate that the client showed in the handshake, and whose key it has; empty: none.</summary>
    public ReadOnlyMemory<byte> ClientCertificate { get; set; }

    /// <summary>SASL's security layer protects the connection.</summary>
    public bool IsLayered { get; set; }

    /// <summary>Kerberos tickets are taken here.</summary>
    public bool HasTickets { get; init; }

    /// <summary>A bind by GSSAPI that goes on, or has just ended in a security layer.</summary>
    public SaslGssapi? Gssapi { get; set; }

    /// <summary>Passwords may be sent.</summary>
    public bool IsConfidential => IsTls || IsLayered || IsLocal;

    /// <summary>SASL mechanisms that can be used now.</summary>
    public IReadOnlyList<string> Mechanisms => [.. SaslMechanisms.Of(this)];

    /// <summary>Account that was authenticated; null: anonymous.</summary>
    public Guid? AccountId { get; private set; }

    /// <summary>The account must choose another password before anything else.</summary>
    public bool MustChangePassword { get; private set; }

    /// <summary>Binds that were refused.</summary>
    public int RefusedBindCount { get; set; }

    /// <summary>Becomes anonymous.</summary>
    public void Reset()
    {
        AccountId = null;
        MustChangePassword = false;
    }

    /// <summary>Becomes an account's.</summary>
    public void Become(DirectoryEntry account, bool mustChangePassword)
    {
        AccountId = account.Id;
        MustChangePassword = mustChangePassword;
    }

    /// <summary>The account; null: anonymous, or the account is gone or disabled.</summary>
    public DirectoryEntry? FindAccount(DirectorySnapshot directory) =>
        AccountId is { } id && directory.Get(id) is { Enabled: true } account && directory.GetDomain(account.DomainId) is { Enabled: true } ? account : null;

    /// <summary>The account, which may do whatever it may.</summary>
    /// <exception cref="LdapException">There is none.</exception>
    public DirectoryEntry RequireAccount(DirectorySnapshot directory)
    {
        if (AccountId is null)
            throw new LdapException(ResultCode.InsufficientAccessRights, "nothing is for everybody to see here: bind first");
        if (MustChangePassword)
            throw new LdapException(ResultCode.InsufficientAccessRights, "the password must be changed before anything else: use the Password Modify operation");
        return FindAccount(directory) ?? throw new LdapException(ResultCode.InsufficientAccessRights, "the account of this connection cannot sign in any more: bind again");
    }

    /// <summary>Who acts, for rights and the audit log.</summary>
    /// <exception cref="LdapException">Nobody.</exception>
    public Actor RequireActor(DirectorySnapshot directory)
    {
        var account = RequireAccount(directory);
        return Actor.Of(account, directory.GetDomain(account.DomainId)!, From);
    }
}
