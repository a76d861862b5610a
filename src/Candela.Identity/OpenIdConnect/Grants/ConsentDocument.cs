namespace Candela.Identity.OpenIdConnect.Grants;

/// <summary>What somebody has allowed a client, so as not to be asked again.</summary>
internal sealed record ConsentDocument(IReadOnlyList<string> Scopes, DateTimeOffset At);
