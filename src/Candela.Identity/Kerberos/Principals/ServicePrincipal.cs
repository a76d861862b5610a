using Candela.Identity.Kerberos.Keys;

namespace Candela.Identity.Kerberos.Principals;

/// <summary>A service's principal, as stored.</summary>
/// <param name="Name">Name without realm: <c>SERVICE/HOST</c>.</param>
/// <param name="AccountId">Account whose end is its end; null: the platform's own.</param>
/// <param name="CreatedAt">When it was made.</param>
/// <param name="Keys">Its keys.</param>
internal sealed record ServicePrincipal(string Name, Guid? AccountId, DateTimeOffset CreatedAt, KeySet Keys);

/// <summary>The realm, as stored.</summary>
/// <param name="Realm">Its name.</param>
/// <param name="Keys">Keys of its ticket-granting service, by which every controller's KDC knows the tickets of the others.</param>
internal sealed record RealmDocument(string Realm, KeySet Keys);
