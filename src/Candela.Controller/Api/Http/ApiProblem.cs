using Candela.Model;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.WebUtilities;

namespace Candela.Controller.Api.Http;

/// <summary>Problem details (RFC 9457) with the name of an <see cref="ErrorCode"/>.</summary>
/// <param name="Title">The status in words.</param>
/// <param name="Status">HTTP status.</param>
/// <param name="Detail">What went wrong, for people.</param>
/// <param name="Code">Stable: clients may branch on it.</param>
/// <param name="Reference">Where the daemon's log says more; with <see cref="ErrorCode.Internal"/> only.</param>
internal sealed record ApiProblem(string Title, int Status, string Detail, ErrorCode Code, string? Reference = null)
{
    public const string MediaType = "application/problem+json";

    public static ApiProblem Of(CandelaException error) => Of(error.Code, error.Message);

    public static ApiProblem Of(ErrorCode code, string detail, string? reference = null) => Of(StatusOf(code), code, detail, reference);

    public static ApiProblem Of(int status, ErrorCode code, string detail, string? reference = null) =>
        new(ReasonPhrases.GetReasonPhrase(status), status, detail, code, reference);

    public static int StatusOf(ErrorCode code) => code switch
    {
        ErrorCode.NotModified => StatusCodes.Status304NotModified,
        ErrorCode.InvalidArgument => StatusCodes.Status400BadRequest,
        ErrorCode.Unauthenticated => StatusCodes.Status401Unauthorized,
        ErrorCode.PermissionDenied => StatusCodes.Status403Forbidden,
        ErrorCode.NotFound or ErrorCode.ImageNotFound => StatusCodes.Status404NotFound,
        ErrorCode.AlreadyExists or ErrorCode.Conflict => StatusCodes.Status409Conflict,
        ErrorCode.ImageInvalid or ErrorCode.CommandNotFound or ErrorCode.CommandNotExecutable => StatusCodes.Status422UnprocessableEntity,
        ErrorCode.NotSupported => StatusCodes.Status501NotImplemented,
        ErrorCode.Unavailable => StatusCodes.Status503ServiceUnavailable,
        ErrorCode.DeadlineExceeded => StatusCodes.Status504GatewayTimeout,
        ErrorCode.ResourceExhausted => StatusCodes.Status507InsufficientStorage,
        _ => StatusCodes.Status500InternalServerError,
    };

    public async Task WriteAsync(HttpContext context)
    {
        var response = context.Response;
        response.StatusCode = Status;
        if (Status == StatusCodes.Status304NotModified)
            return;
        await response.WriteAsJsonAsync(this, ApiJson.Default.ApiProblem, MediaType, context.RequestAborted);
    }
}
