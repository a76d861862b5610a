namespace Candela.Identity.Authorization;

/// <summary>
/// Decides who may do what. What no binding allows is denied. Decisions are made in memory, by what the state store said at most
/// <see cref="FreshnessSeconds"/> ago; when the store cannot be asked, everything is denied. Safe for use from many threads.
/// </summary>
public interface IAuthorizer
{
    /// <summary>Longest time for which a change elsewhere may not be known, seconds.</summary>
    const int FreshnessSeconds = 2;

    /// <summary>Whether a subject may do something somewhere.</summary>
    /// <param name="subject">Who asks: an account (not a group) or one workload.</param>
    /// <param name="permission">What.</param>
    /// <param name="scope">Where: the resource, or for create and list what it is (to be) in.</param>
    /// <param name="cancellationToken">Ends the call.</param>
    ValueTask<Decision> DecideAsync(Subject subject, Permission permission, ResourceScope scope, CancellationToken cancellationToken);

    /// <summary>
    /// Whether a subject may give a role somewhere: only who may do all that the role allows, there, may pass it on. Not whether it may make
    /// bindings at all.
    /// </summary>
    ValueTask<Decision> DecideGrantAsync(Subject subject, Role role, ResourceScope scope, CancellationToken cancellationToken);

    /// <summary>
    /// Whether a subject may give out all that another subject (an account, a group) has: who takes somebody into a group or sets an account's
    /// password comes by its rights.
    /// </summary>
    ValueTask<Decision> DecideCoverAsync(Subject subject, Subject other, CancellationToken cancellationToken);
}
