namespace Candela.Identity.Ldap.Protocol;

/// <summary>How an operation ended (RFC 4511, 4.1.9).</summary>
/// <param name="Code">Code.</param>
/// <param name="Message">Words for people; what to do next.</param>
/// <param name="MatchedName">With <see cref="ResultCode.NoSuchObject"/>: the nearest entry above that there is.</param>
internal sealed record LdapResult(ResultCode Code, string Message = "", string MatchedName = "")
{
    public static readonly LdapResult Success = new(ResultCode.Success);

    /// <summary>What every refused bind gets, whatever was wrong.</summary>
    public static readonly LdapResult InvalidCredentials = new(ResultCode.InvalidCredentials, "the name or the password is wrong, or the account cannot sign in now");
}

/// <summary>What ends an operation.</summary>
/// <param name="Result">How it ended.</param>
/// <param name="Control">Control that goes with it; null: none.</param>
/// <param name="Name">Name of an extended response (RFC 4511, 4.12); null: none.</param>
/// <param name="Value">Value of an extended response, or a bind's SASL credentials (RFC 4511, 4.2.2); null: none.</param>
internal sealed record LdapAnswer(LdapResult Result, LdapControl? Control = null, string? Name = null, byte[]? Value = null)
{
    public static readonly LdapAnswer Success = new(LdapResult.Success);

    /// <summary>Nothing but a result.</summary>
    public static implicit operator LdapAnswer(LdapResult result) => new(result);

    /// <summary>Says nothing of the value, which may be a password.</summary>
    public override string ToString() => $"{Result}";
}

/// <summary>An operation cannot be carried out.</summary>
internal sealed class LdapException(ResultCode code, string message, string matchedName = "") : Exception(message)
{
    /// <summary>The operation's result.</summary>
    public LdapResult Result { get; } = new(code, message, matchedName);
}
