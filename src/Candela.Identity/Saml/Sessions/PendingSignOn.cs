using Candela.Identity.Saml.Providers;

namespace Candela.Identity.Saml.Sessions;

/// <summary>A request for sign-in that was found good, while somebody signs in. It travels sealed in the address: strangers make nothing be stored.</summary>
/// <param name="Provider">Name of the service provider.</param>
/// <param name="EntityId">Its entity id at that time.</param>
/// <param name="RequestId">ID of the request.</param>
/// <param name="Consumer">Where the response goes.</param>
/// <param name="RelayState">To be given back.</param>
/// <param name="NameId">Kind of name identifier.</param>
/// <param name="Contexts">Authentication contexts that will do.</param>
/// <param name="ForceAuthn">Who signed in before the request does not count.</param>
/// <param name="IsPassive">Nobody is to be asked.</param>
/// <param name="ReceivedAt">When the request came in.</param>
internal sealed record PendingSignOn(
    string Provider, string EntityId, string RequestId, string Consumer, string? RelayState, SamlNameIdKind NameId, IReadOnlyList<string> Contexts, bool ForceAuthn, bool IsPassive, DateTimeOffset ReceivedAt);
