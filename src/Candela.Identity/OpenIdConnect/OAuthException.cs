using Candela.Model;
using Microsoft.AspNetCore.Http;

namespace Candela.Identity.OpenIdConnect;

/// <summary>An error of the protocol (RFC 6749, sections 4.1.2.1 and 5.2), told to the client: the message repeats nothing secret.</summary>
internal sealed class OAuthException(string error, string description, int status = StatusCodes.Status400BadRequest) : Exception(description)
{
    /// <summary>Code of the error, such as <c>invalid_grant</c>.</summary>
    public string Error { get; } = error;

    /// <summary>HTTP status, where the answer is no redirect.</summary>
    public int Status { get; } = status;

    /// <summary>A device asks whether its user has answered: that is no refusal.</summary>
    public bool IsPending => Error is "authorization_pending" or "slow_down";

    /// <summary>The same for the audit log.</summary>
    public CandelaException ForAudit() => new(
        Error switch
        {
            "invalid_client" or "invalid_grant" or "login_required" => ErrorCode.Unauthenticated,
            "access_denied" or "unauthorized_client" or "consent_required" or "invalid_scope" or "invalid_target" => ErrorCode.PermissionDenied,
            _ => ErrorCode.InvalidArgument,
        },
        Message,
        this);

    public static OAuthException InvalidRequest(string description) => new("invalid_request", description);

    public static OAuthException InvalidGrant(string description) => new("invalid_grant", description);

    public static OAuthException InvalidClient(string description) => new("invalid_client", description, StatusCodes.Status401Unauthorized);

    public static OAuthException InvalidScope(string description) => new("invalid_scope", description);

    public static OAuthException InvalidTarget(string description) => new("invalid_target", description);
}
