using System.Security.Cryptography;
using Candela.Controller.Api.Access;
using Candela.Model;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Metadata;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace Candela.Controller.Api.Http;

/// <summary>Around every endpoint: refuses calls while the platform is prepared, and of those who may not, and turns failures into problem details.</summary>
internal sealed partial class ApiPipeline(
    IPlatformStatus status, RouteGuard guard, IOptions<ControllerApiOptions> options, IHostApplicationLifetime lifetime, ILogger<ApiPipeline> logger)
{
    private const int ReferenceBytes = 6;

    /// <summary>Runs an endpoint.</summary>
    /// <param name="context">The request.</param>
    /// <param name="next">The endpoint.</param>
    /// <param name="whilePreparing">It works before the platform is ready, too.</param>
    public async Task RunAsync(HttpContext context, RequestDelegate next, bool whilePreparing)
    {
        try
        {
            if (!whilePreparing)
                status.ThrowIfNotReady();
            await guard.RunAsync(context, context.GetEndpoint()?.Metadata.GetMetadata<RouteAccess>(), options.Value.Project, () => next(context));
            if (context.Response is { HasStarted: false, StatusCode: StatusCodes.Status413PayloadTooLarge })
                await AnswerAsync(context, ApiProblem.Of(StatusCodes.Status413PayloadTooLarge, ErrorCode.InvalidArgument, TooLargeText(context)));
        }
        catch (CandelaException e) when (e.Code != ErrorCode.Internal)
        {
            await AnswerAsync(context, ApiProblem.Of(e));
        }
        catch (BadHttpRequestException e)
        {
            await AnswerAsync(context, ApiProblem.Of(e.StatusCode, ErrorCode.InvalidArgument, BadRequestText.Of(e)));
        }
        catch (Exception e) when (e is OperationCanceledException or IOException && context.RequestAborted.IsCancellationRequested)
        {
            // The client has gone; there is nobody to be answered.
        }
        catch (OperationCanceledException) when (lifetime.ApplicationStopping.IsCancellationRequested)
        {
            await AnswerAsync(context, ApiProblem.Of(ErrorCode.Unavailable, "the daemon is shutting down"));
        }
        catch (Exception e)
        {
            var reference = Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(ReferenceBytes));
            Log.Failed(logger, e, context.Request.Method, context.Request.Path, reference);
            await AnswerAsync(context, ApiProblem.Of(ErrorCode.Internal, $"internal error; the log of candelad says more at {reference}", reference));
        }
    }

    private static string TooLargeText(HttpContext context) =>
        $"the body is too large: at most {context.GetEndpoint()?.Metadata.GetMetadata<IRequestSizeLimitMetadata>()?.MaxRequestBodySize} bytes are accepted";

    private async Task AnswerAsync(HttpContext context, ApiProblem problem)
    {
        if (context.RequestAborted.IsCancellationRequested)
            return;
        if (!context.Response.HasStarted)
        {
            await problem.WriteAsync(context);
            return;
        }

        // The status is gone already; cutting the connection is the only way left to say that the answer is not whole.
        Log.CutShort(logger, context.Request.Method, context.Request.Path, problem.Detail);
        context.Abort();
    }

    private static partial class Log
    {
        [LoggerMessage(1, LogLevel.Error, "{Method} {Path} failed (reference {Reference})")]
        public static partial void Failed(ILogger logger, Exception exception, string method, string path, string reference);

        [LoggerMessage(2, LogLevel.Warning, "{Method} {Path} was cut short: {Error}")]
        public static partial void CutShort(ILogger logger, string method, string path, string error);
    }
}
