using Candela.Model;

namespace Candela.Identity.Authentication;

/// <summary>A feature of a request: makes sure that who sent it is still let in. A token's end does not count: it was in time when it was sent.</summary>
/// <param name="RunAsync">Throws a <see cref="CandelaException"/>, Unauthenticated, when the certificate, sign-in, account or container is no longer good.</param>
public sealed record CallerRecheck(Func<CancellationToken, Task> RunAsync);
