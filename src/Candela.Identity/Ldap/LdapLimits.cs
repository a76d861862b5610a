namespace Candela.Identity.Ldap;

/// <summary>Limits of the LDAP server. What goes beyond is refused, never cut off.</summary>
public static class LdapLimits
{
    /// <summary>Largest message of a connection that has not authenticated, bytes.</summary>
    public const int AnonymousMessageBytes = 64 * 1024;

    /// <summary>Largest message, bytes.</summary>
    public const int MessageBytes = 1024 * 1024;

    /// <summary>Largest message of SASL's security layer, bytes.</summary>
    public const int LayerBytes = 64 * 1024;

    /// <summary>Deepest nesting of a filter.</summary>
    public const int FilterDepth = 32;

    /// <summary>Most terms of a filter, those that join others included.</summary>
    public const int FilterTermCount = 1024;

    /// <summary>Most parts of a substring assertion.</summary>
    public const int SubstringPartCount = 64;

    /// <summary>Most attributes that one search may name.</summary>
    public const int AttributeSelectionCount = 256;

    /// <summary>Most controls of a message.</summary>
    public const int ControlCount = 16;

    /// <summary>Most modifications of one request, and attributes of one addition.</summary>
    public const int ModificationCount = 256;

    /// <summary>Most values of one attribute in a request.</summary>
    public const int ValueCount = 4096;

    /// <summary>Most relative names of a distinguished name.</summary>
    public const int NameDepth = 32;

    /// <summary>Most attributes of one relative name.</summary>
    public const int NameAttributeCount = 8;

    /// <summary>Most entries that one search returns without paging; of a paged one, most of a page.</summary>
    public const int EntryCount = 2000;

    /// <summary>Longest that a search runs, seconds.</summary>
    public const int SearchSeconds = 30;

    /// <summary>Most searches at a time, of all connections, that look through a whole domain; <see cref="ScanWaitingCount"/> more wait.</summary>
    public const int ScanCount = 4;

    /// <summary>Most searches that wait for others to have looked through a domain.</summary>
    public const int ScanWaitingCount = 64;

    /// <summary>Most connections.</summary>
    public const int ConnectionCount = 4096;

    /// <summary>Most connections from one address.</summary>
    public const int ConnectionsOfAddressCount = 512;

    /// <summary>Most operations of one connection that are under way.</summary>
    public const int OutstandingCount = 16;

    /// <summary>Bytes that wait to be sent, after which the operations that make more of them wait.</summary>
    public const int UnsentBytes = 256 * 1024;

    /// <summary>Refused binds of one connection, after which it ends.</summary>
    public const int RefusedBindCount = 5;

    /// <summary>Seconds that a TLS handshake may take, a message from its first to its last byte, and the client to take what was sent.</summary>
    public const int ProgressSeconds = 30;

    /// <summary>Seconds without a request after which a connection that has not authenticated ends.</summary>
    public const int AnonymousIdleSeconds = 60;

    /// <summary>Seconds without a request after which a connection ends.</summary>
    public const int IdleSeconds = 1800;
}
