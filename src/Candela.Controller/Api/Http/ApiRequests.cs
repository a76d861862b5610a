using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using Candela.Controller.Transport;
using Microsoft.AspNetCore.Connections.Features;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.AspNetCore.Server.Kestrel.Core.Features;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Options;

namespace Candela.Controller.Api.Http;

/// <summary>What handlers ask of a request.</summary>
internal static class ApiRequests
{
    public const string LinesType = "application/x-ndjson";
    public const string TarType = "application/x-tar";
    public const string LdifType = "text/x-ldif";

    private static readonly JsonWriterOptions LineOptions = new() { Indented = false };

    extension(HttpContext http)
    {
        /// <summary>Who calls.</summary>
        public Caller Caller => http.RequestServices.GetRequiredService<CallerResolver>()
            .Resolve(http.Features, http.RequestServices.GetRequiredService<IOptions<ControllerApiOptions>>().Value.Project);

        /// <summary>Ends with the client or with the daemon; for streams. Dispose after use.</summary>
        public CancellationTokenSource LinkLifetime() => CancellationTokenSource.CreateLinkedTokenSource(
            http.RequestAborted, http.RequestServices.GetRequiredService<IHostApplicationLifetime>().ApplicationStopping);

        /// <summary>The like for a connection that leaves HTTP: it does not end with the request. Dispose after use.</summary>
        public CancellationTokenSource LinkConnection() => CancellationTokenSource.CreateLinkedTokenSource(
            http.Features.GetRequiredFeature<IConnectionLifetimeFeature>().ConnectionClosed,
            http.RequestServices.GetRequiredService<IHostApplicationLifetime>().ApplicationStopping);

        /// <summary>A body of any length at any speed: an image or an archive.</summary>
        public Stream ReadUnlimited()
        {
            http.Features.Get<IHttpMaxRequestBodySizeFeature>()?.MaxRequestBodySize = null;
            http.Features.Get<IHttpMinRequestBodyDataRateFeature>()?.MinDataRate = null;
            return http.Request.Body;
        }

        /// <summary>Sends the head of an answer that goes on for as long as the client likes, at any speed.</summary>
        public async Task StartStreamAsync(string contentType)
        {
            http.Features.Get<IHttpMinResponseDataRateFeature>()?.MinDataRate = null;
            http.Response.ContentType = contentType;
            await http.Response.StartAsync(http.RequestAborted);
            await http.Response.BodyWriter.FlushAsync(http.RequestAborted);
        }

        /// <summary>Buffers a line of JSON; the flush is the caller's.</summary>
        public void WriteLine<T>(T value, JsonTypeInfo<T> type)
        {
            var writer = http.Response.BodyWriter;
            using (var json = new Utf8JsonWriter(writer, LineOptions))
                JsonSerializer.Serialize(json, value, type);
            writer.EndLine();
        }
    }

    /// <summary>A reference as the client wrote it: the server leaves <c>%2F</c> alone when it decodes paths.</summary>
    public static string Unescape(string reference) => reference.Replace("%2F", "/", StringComparison.OrdinalIgnoreCase);
}
