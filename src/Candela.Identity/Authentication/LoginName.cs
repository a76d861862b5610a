namespace Candela.Identity.Authentication;

/// <summary>Whom somebody says to be.</summary>
/// <param name="Domain">Name of the domain.</param>
/// <param name="Name">Name in the domain.</param>
public readonly record struct LoginName(string Domain, string Name)
{
    /// <summary>Reads <c>NAME@DOMAIN</c>, or <c>NAME</c> in the given domain.</summary>
    public static LoginName Parse(string text, string defaultDomain = Accounts.Domain.SystemName) =>
        text.LastIndexOf('@') is var at and >= 0 ? new LoginName(text[(at + 1)..], text[..at]) : new LoginName(defaultDomain, text);

    /// <inheritdoc/>
    public override string ToString() => $"{Name}@{Domain}";
}
