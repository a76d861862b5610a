using System.Collections.Concurrent;
using Candela.Identity.Authorization;

namespace Candela.Identity.Administration;

/// <summary>
/// The rights by which a request was let in, so that they can be asked for again while it lasts: a stream that is open must not outlive them. Flows
/// with the request's asynchronous calls.
/// </summary>
public sealed class AskedRights
{
    /// <summary>Most that are kept: the first ones are those that let the request in, the others what it has looked at.</summary>
    private const int CountMaximum = 64;

    private static readonly AsyncLocal<AskedRights?> Running = new();

    private readonly ConcurrentQueue<(Actor Actor, Permission Permission, ResourceScope Scope)> _allowed = new();

    private AskedRights()
    {
    }

    /// <summary>What was allowed so far.</summary>
    internal IEnumerable<(Actor Actor, Permission Permission, ResourceScope Scope)> Allowed => _allowed;

    /// <summary>A request begins: what it and whatever it calls is allowed is kept from now on.</summary>
    public static AskedRights Begin() => Running.Value = new AskedRights();

    internal static void Note(Actor actor, Permission permission, ResourceScope scope)
    {
        if (Running.Value is { } rights && rights._allowed.Count < CountMaximum)
            rights._allowed.Enqueue((actor, permission, scope));
    }
}
