using Candela.Controller.Api.Access;
using Candela.Controller.Api.Http;
using Candela.Controller.Transport;
using Candela.Identity.Accounts;
using Candela.Identity.Administration;
using Candela.Identity.Authentication;
using Candela.Model;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.Extensions.DependencyInjection;

namespace Candela.Controller.Api;

/// <summary>
/// Knows callers: by what a front end has found out (<see cref="IActorFeature"/>), or by the peer credentials of their connection. The same for
/// every front end.
/// </summary>
/// <param name="services">Has the <see cref="IDirectory"/>, once the platform is ready.</param>
public sealed class CallerResolver(IServiceProvider services)
{
    private readonly UnixUsers _users = new();
    private LocalUsers? _local;

    /// <summary>Somebody stands behind a request who can be named; works before the platform is ready, too.</summary>
    /// <exception cref="CandelaException">Unauthenticated: nothing says who it is.</exception>
    public static void RequireKnown(IFeatureCollection features)
    {
        ArgumentNullException.ThrowIfNull(features);
        if (features.Get<IActorFeature>() is null && features.Get<IPeerCredentialFeature>() is null)
            throw Unknown();
    }

    /// <summary>The caller of a request.</summary>
    /// <param name="features">Features of the request.</param>
    /// <param name="project">Project that the endpoint belongs to.</param>
    /// <exception cref="CandelaException">Unauthenticated: nothing says who it is. Unavailable: the platform is not ready yet.</exception>
    public Caller Resolve(IFeatureCollection features, string project)
    {
        ArgumentNullException.ThrowIfNull(features);
        if (features.Get<IActorFeature>() is { } known)
            return new Caller(known.Actor, project);
        var peer = features.Get<IPeerCredentialFeature>() ?? throw Unknown();
        var name = _users.NameOf(peer.UserId);
        if (peer.UserId == PeerCredential.OwnUserId)
            return new Caller(Actor.Local(name, peer.UserId), project);
        _local ??= new LocalUsers(services.GetRequiredService<IDirectory>());
        return new Caller(_local.Find(name, peer.UserId), project);
    }

    private static CandelaException Unknown() => new(ErrorCode.Unauthenticated, "sign in first: send a bearer token or a client certificate");
}
