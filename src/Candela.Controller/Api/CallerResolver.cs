using Candela.Controller.Api.Http;
using Candela.Controller.Transport;
using Candela.Model;
using Microsoft.AspNetCore.Http.Features;

namespace Candela.Controller.Api;

/// <summary>Knows callers by the peer credentials of their connection; the same for every front end.</summary>
public sealed class CallerResolver
{
    private readonly UnixUsers _users = new();

    /// <summary>The caller of a request.</summary>
    /// <param name="features">Features of the request.</param>
    /// <param name="project">Project that the endpoint belongs to.</param>
    /// <exception cref="CandelaException">Unauthenticated: the connection has no peer credentials.</exception>
    public Caller Resolve(IFeatureCollection features, string project)
    {
        ArgumentNullException.ThrowIfNull(features);
        var peer = features.Get<IPeerCredentialFeature>()
            ?? throw new CandelaException(ErrorCode.Unauthenticated, "the caller is unknown: this endpoint is served on a Unix socket only");
        return new Caller(peer.UserId, _users.NameOf(peer.UserId), project);
    }
}
