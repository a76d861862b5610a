namespace Candela.Identity.Ldap.Access;

/// <summary>How much of an entry somebody may read.</summary>
internal enum ReadLevel
{
    /// <summary>Not even that it exists.</summary>
    None,

    /// <summary>What a host needs to let users of its own domain log in.</summary>
    Login,

    /// <summary>All; passwords are never readable.</summary>
    Full,
}
