using Candela.Controller.Api.Access;
using Candela.Identity.Authorization;
using Candela.Model;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Mvc;

namespace Candela.Controller.Api.Http;

/// <summary>Marks an endpoint that works before the platform is ready.</summary>
internal sealed class WorksWhilePreparing
{
    public static readonly WorksWhilePreparing Instance = new();
}

/// <summary>Marks an endpoint whose body is a file.</summary>
/// <param name="MediaType">Its type.</param>
internal sealed record FileBody(string MediaType);

/// <summary>What endpoints say of themselves, for the document and for the server.</summary>
internal static class ApiMetadata
{
    /// <summary>Failures that any call can meet.</summary>
    private static readonly ErrorCode[] Common =
        [ErrorCode.InvalidArgument, ErrorCode.Unauthenticated, ErrorCode.PermissionDenied, ErrorCode.Internal, ErrorCode.Unavailable];

    extension(RouteHandlerBuilder endpoint)
    {
        /// <summary>Names and describes the operation, and its failures besides the common ones.</summary>
        public RouteHandlerBuilder Describe(string operationId, string summary, params ReadOnlySpan<ErrorCode> failures)
        {
            endpoint.WithName(operationId).WithSummary(summary);
            foreach (var status in ((ErrorCode[])[.. Common, .. failures]).Select(ApiProblem.StatusOf).Distinct())
            {
                if (status == StatusCodes.Status304NotModified)
                    endpoint.Produces(status);
                else
                    endpoint.Produces<ApiProblem>(status, ApiProblem.MediaType);
            }

            return endpoint;
        }

        /// <summary>The service behind the endpoint asks for this permission.</summary>
        public RouteHandlerBuilder Needs(ResourceKind kind, Verb verb) => endpoint.WithMetadata(RouteAccess.Service(kind, verb));

        /// <summary>What the endpoint asks of its callers.</summary>
        public RouteHandlerBuilder Access(RouteAccess access) => endpoint.WithMetadata(access);

        /// <summary>The body is a tar archive of any length.</summary>
        public RouteHandlerBuilder AcceptsTar() => endpoint.AcceptsFile(ApiRequests.TarType);

        /// <summary>The body is a file of any length.</summary>
        public RouteHandlerBuilder AcceptsFile(string mediaType) => endpoint.WithMetadata(new FileBody(mediaType), new DisableRequestSizeLimitAttribute());

        /// <summary>The answer is a line of JSON each.</summary>
        public RouteHandlerBuilder ProducesLines<T>() => endpoint.Produces<T>(StatusCodes.Status200OK, ApiRequests.LinesType);

        /// <summary>The connection goes on as candela-stream, when the request asks for that.</summary>
        public RouteHandlerBuilder ProducesStream() => endpoint.Produces(StatusCodes.Status101SwitchingProtocols);

        /// <summary>The request must ask for an upgrade.</summary>
        public RouteHandlerBuilder RequiresUpgrade() => endpoint.Produces<ApiProblem>(StatusCodes.Status426UpgradeRequired, ApiProblem.MediaType);
    }
}
