using Candela.Identity.Certificates.Names;
using Microsoft.AspNetCore.Http;

namespace Candela.Identity.Acme;

/// <summary>A request that fails for a reason of RFC 8555, section 6.7.</summary>
/// <param name="type">The last part of the error's URN, such as <c>malformed</c>.</param>
/// <param name="status">HTTP status.</param>
/// <param name="message">What is wrong, for the client's user.</param>
internal sealed class AcmeException(string type, int status, string message) : Exception(message)
{
    public string Type { get; } = type;

    public int Status { get; } = status;

    /// <summary>Address that the error is about; goes into the header <c>Location</c>.</summary>
    public string? Location { get; init; }

    public static AcmeException Malformed(string message) => new("malformed", StatusCodes.Status400BadRequest, message);

    public static AcmeException NotFound(string what) => new("malformed", StatusCodes.Status404NotFound, $"there is no such {what}, or it is another account's");

    public static AcmeException Unauthorized(string message) => new("unauthorized", StatusCodes.Status403Forbidden, message);

    public static AcmeException BadNonce() => new("badNonce", StatusCodes.Status400BadRequest, "the nonce was used before, is too old, or was not given out here: try again with the new one");

    public static AcmeException RejectedIdentifier(string name, string why) => new("rejectedIdentifier", StatusCodes.Status403Forbidden, $"{Printable.Of(name)}: {why}");

    public static AcmeException BadCsr(string message) => new("badCSR", StatusCodes.Status400BadRequest, message);
}
