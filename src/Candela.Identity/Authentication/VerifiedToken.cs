using Candela.Identity.Accounts;
using Candela.Identity.Workloads;

namespace Candela.Identity.Authentication;

/// <summary>Whom an access token speaks for.</summary>
/// <param name="Account">Account whose rights count; null: none.</param>
/// <param name="Workload">Workload whose rights count; null: none.</param>
/// <param name="RecheckAsync">Throws an Unauthenticated <see cref="Model.CandelaException"/> when it was revoked since; its time does not count.</param>
public sealed record VerifiedToken(DirectoryEntry? Account, SpiffeId? Workload, Func<CancellationToken, Task> RecheckAsync);
