using Candela.Controller.Api;
using Candela.Controller.Api.Access;
using Candela.Docker.Json;
using Candela.Model;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.Logging;

namespace Candela.Docker.Http;

/// <summary>
/// Registers handlers under <c>/…</c> and <c>/v1.50/…</c>, and gives every answer Docker's headers and errors. Handlers are plain
/// request delegates: no reflection, no model binding.
/// </summary>
internal sealed partial class DockerRoutes(IEndpointRouteBuilder builder, DockerServices services)
{
    /// <summary>Answers while the platform is prepared, too: clients ask it for the version before anything else.</summary>
    public const string PingPath = "/_ping";

    private readonly string _server = $"Candela/{services.Options.Version} (linux)";

    public void Map(string method, string pattern, RouteAccess access, Subject subject, Func<DockerRequest, Task> handler)
    {
        MapOne(method, pattern, access, subject, handler, versioned: false);
        MapOne(method, "/v{apiVersion}" + pattern, access, subject, handler, versioned: true);
    }

    public void Get(string pattern, RouteAccess access, Func<DockerRequest, Task> handler, Subject subject = Subject.None) => Map("GET", pattern, access, subject, handler);

    public void Head(string pattern, RouteAccess access, Func<DockerRequest, Task> handler, Subject subject = Subject.None) => Map("HEAD", pattern, access, subject, handler);

    public void Post(string pattern, RouteAccess access, Func<DockerRequest, Task> handler, Subject subject = Subject.None) => Map("POST", pattern, access, subject, handler);

    public void Put(string pattern, RouteAccess access, Func<DockerRequest, Task> handler, Subject subject = Subject.None) => Map("PUT", pattern, access, subject, handler);

    public void Delete(string pattern, RouteAccess access, Func<DockerRequest, Task> handler, Subject subject = Subject.None) => Map("DELETE", pattern, access, subject, handler);

    public void MapRest() =>
        builder.Map("/{**rest}", context => RunAsync(context, Subject.None, static _ => throw DockerException.NotFound("page not found"), versioned: false)).WithMetadata(RouteAccess.Everyone);

    private void MapOne(string method, string pattern, RouteAccess access, Subject subject, Func<DockerRequest, Task> handler, bool versioned) =>
        builder.MapMethods(pattern, [method], context => RunAsync(context, subject, handler, versioned)).WithDisplayName($"{method} {pattern}").WithMetadata(access);

    private async Task RunAsync(HttpContext context, Subject subject, Func<DockerRequest, Task> handler, bool versioned)
    {
        var headers = context.Response.Headers;
        headers["Api-Version"] = DockerApiOptions.ApiVersion;
        headers["Docker-Experimental"] = "false";
        headers["Ostype"] = "linux";
        headers.Server = _server;
        var reference = context.Request.RouteValues.TryGetValue("name", out var value) && value is string name ? name : "";
        try
        {
            var version = ApiVersion.Newest;
            if (versioned)
            {
                version = ApiVersion.Parse(context.Request.RouteValues["apiVersion"] as string ?? "") ?? throw DockerException.NotFound("page not found");
                version.ThrowIfUnsupported();
            }

            if (!context.Request.Path.Value!.EndsWith(PingPath, StringComparison.Ordinal))
                services.Platform.ThrowIfNotReady();
            var request = new DockerRequest(context, services, version) { Reference = reference };
            await services.Guard.RunAsync(context, context.GetEndpoint()?.Metadata.GetMetadata<RouteAccess>(), services.Options.Project, () => handler(request));
        }
        catch (CandelaException e)
        {
            if (e.Code == ErrorCode.Internal)
                Log.Failed(services.Logger, e, context.Request.Method, context.Request.Path);
            await AnswerAsync(context, ErrorTranslation.Translate(e, subject, reference));
        }
        catch (DockerException e)
        {
            await AnswerAsync(context, e);
        }
        catch (BadHttpRequestException e)
        {
            await AnswerAsync(context, new DockerException(e.StatusCode, e.Message));
        }
        catch (OperationCanceledException) when (context.RequestAborted.IsCancellationRequested || services.Stopping.IsCancellationRequested)
        {
            // Nobody is there to be answered, or the daemon stops and cuts its streams.
            if (context.Response.HasStarted)
                return;
            await AnswerAsync(context, new DockerException(StatusCodes.Status503ServiceUnavailable, "the daemon is shutting down"));
        }
        catch (Exception e) when (e is not OutOfMemoryException)
        {
            if (context.RequestAborted.IsCancellationRequested)
                return;
            Log.Failed(services.Logger, e, context.Request.Method, context.Request.Path);
            await AnswerAsync(context, new DockerException(StatusCodes.Status500InternalServerError, $"internal error: {e.Message} (see the log of candelad)"));
        }
    }

    private async Task AnswerAsync(HttpContext context, DockerException error)
    {
        if (context.RequestAborted.IsCancellationRequested)
            return;
        if (context.Response.HasStarted)
        {
            // The status is gone already; cutting the connection is the only way left to say that the answer is not whole.
            Log.CutShort(services.Logger, context.Request.Method, context.Request.Path, error.Message);
            context.Abort();
            return;
        }

        var request = new DockerRequest(context, services, ApiVersion.Newest);
        if (error.Status == StatusCodes.Status304NotModified)
            await request.WriteStatusAsync(error.Status);
        else
            await request.WriteJsonAsync(new ErrorBody(error.Message), DockerJson.Default.ErrorBody, error.Status);
    }

    private static partial class Log
    {
        [LoggerMessage(1, LogLevel.Error, "{Method} {Path} failed")]
        public static partial void Failed(ILogger logger, Exception exception, string method, string path);

        [LoggerMessage(2, LogLevel.Warning, "{Method} {Path} was cut short: {Error}")]
        public static partial void CutShort(ILogger logger, string method, string path, string error);
    }
}
