using System.Net;
using Candela.Model;

namespace Candela.Images.Registry;

/// <summary>Turns a registry's refusal into the failure that users see, in Docker's words.</summary>
internal static class RegistryRefusal
{
    /// <summary>
    /// The refusal of a push. Unauthenticated: the registry takes no such user. PermissionDenied: the user may not push there.
    /// Unavailable: anything else.
    /// </summary>
    public static CandelaException OfPush(RegistryError error, RegistrySession session) => error.Status switch
    {
        HttpStatusCode.Unauthorized => new(ErrorCode.Unauthenticated, $"{error.Text}; log in to {session.Host} with 'docker login'"),
        HttpStatusCode.Forbidden or HttpStatusCode.MethodNotAllowed => new(ErrorCode.PermissionDenied, $"{session.Host} does not let {session.Reference.FamiliarName} be pushed: {error.Text}"),
        _ => new(ErrorCode.Unavailable, $"the registry {session.Host} refuses {session.Reference.Familiar}: {error.Text}"),
    };

    /// <summary>
    /// ImageNotFound: no such manifest or repository, or none that an anonymous user sees. PermissionDenied: not with this user's token.
    /// Unauthenticated: the registry does not take the password. Unavailable: anything else.
    /// </summary>
    public static CandelaException From(RegistryError error, RegistrySession session, bool hasCredential, bool passwordSent)
    {
        var name = session.Reference.FamiliarName;
        var denied = $"pull access denied for {name}, repository does not exist or may require 'docker login': {error.Text}";
        return (error.Status, error.Code) switch
        {
            (HttpStatusCode.NotFound, "NAME_UNKNOWN") => new(ErrorCode.ImageNotFound, $"repository {name} not found: {error.Text}"),
            (HttpStatusCode.NotFound, "BLOB_UNKNOWN") => new(ErrorCode.ImageNotFound, $"a part of {session.Reference.Familiar} is not in the registry {session.Host}: {error.Text}"),
            (HttpStatusCode.NotFound, _) => new(ErrorCode.ImageNotFound, $"manifest for {session.Reference.Familiar} not found: {error.Text}"),
            (HttpStatusCode.Unauthorized, _) when passwordSent => new(ErrorCode.Unauthenticated, denied),
            (HttpStatusCode.Unauthorized or HttpStatusCode.Forbidden, _) when hasCredential => new(ErrorCode.PermissionDenied, denied),
            (HttpStatusCode.Unauthorized or HttpStatusCode.Forbidden, _) => new(ErrorCode.ImageNotFound, denied),
            _ => new(ErrorCode.Unavailable, $"the registry {session.Host} refuses {session.Reference.Familiar}: {error.Text}"),
        };
    }
}
