namespace Candela.Identity.Saml.Sessions;

/// <summary>A logout on its way through the service providers.</summary>
/// <param name="Initiator">Name of the service provider that began it; null: it began here.</param>
/// <param name="RequestId">ID of its request.</param>
/// <param name="RelayState">To be given back to it.</param>
/// <param name="Awaited">Name of the service provider that is to answer.</param>
/// <param name="AwaitedRequestId">ID of the request that it got.</param>
/// <param name="Remaining">Who is still to be told.</param>
/// <param name="IsPartial">Somebody could not be told.</param>
/// <param name="ExpiresAt">End.</param>
/// <param name="ReturnTo">Where to lead in the end, when it began here; null: to a page that says so.</param>
internal sealed record PendingLogout(
    string? Initiator, string? RequestId, string? RelayState, string? Awaited, string? AwaitedRequestId, IReadOnlyList<SamlSession> Remaining, bool IsPartial, DateTimeOffset ExpiresAt, string? ReturnTo = null);

/// <summary>A request for logout that was found good, on its way to where the browser shows its cookie.</summary>
/// <param name="Provider">Name of the service provider.</param>
/// <param name="RequestId">ID of the request.</param>
/// <param name="NameId">Whom.</param>
/// <param name="SessionIndexes">Which sessions; empty: the browser's.</param>
/// <param name="RelayState">To be given back.</param>
/// <param name="ReceivedAt">When it came in.</param>
internal sealed record ReceivedLogout(string Provider, string RequestId, string NameId, IReadOnlyList<string> SessionIndexes, string? RelayState, DateTimeOffset ReceivedAt);
