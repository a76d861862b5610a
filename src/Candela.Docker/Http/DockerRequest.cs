using System.Buffers;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using Candela.Controller;
using Candela.Controller.Transport;
using Candela.Docker.Json;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.AspNetCore.Server.Kestrel.Core.Features;

namespace Candela.Docker.Http;

/// <summary>One request: its values, its caller, and how to answer.</summary>
internal sealed class DockerRequest(HttpContext http, DockerServices services, ApiVersion version)
{
    public HttpContext Http { get; } = http;

    public DockerServices Services { get; } = services;

    public ApiVersion Version { get; } = version;

    public IContainerService Containers => Services.Containers;

    public IImageService Images => Services.Images;

    public IQueryCollection Query => Http.Request.Query;

    public CancellationToken Aborted => Http.RequestAborted;

    /// <summary>What the path names: a container, an exec or an image.</summary>
    public string Reference { get; init; } = "";

    public Caller Caller => field ??= Services.Callers.Resolve(Http.Features, Services.Options.Project);

    /// <summary>Ends with the client or with the daemon; for streams. Dispose after use.</summary>
    public CancellationTokenSource LinkLifetime() => CancellationTokenSource.CreateLinkedTokenSource(Aborted, Services.Stopping);

    public Task WriteJsonAsync<T>(T value, JsonTypeInfo<T> type, int status = StatusCodes.Status200OK)
    {
        var buffer = new ArrayBufferWriter<byte>(512);
        using (var writer = new Utf8JsonWriter(buffer, DockerJson.WriterOptions))
            JsonSerializer.Serialize(writer, value, type);
        var response = Http.Response;
        response.StatusCode = status;
        response.ContentType = "application/json";
        buffer.EndLine();
        response.ContentLength = buffer.WrittenCount;
        return response.Body.WriteAsync(buffer.WrittenMemory, Aborted).AsTask();
    }

    public Task WriteStatusAsync(int status)
    {
        Http.Response.StatusCode = status;
        if (status != StatusCodes.Status204NoContent && status != StatusCodes.Status304NotModified)
            Http.Response.ContentLength = 0;
        return Task.CompletedTask;
    }

    /// <summary>Reads the body as JSON the way the Engine does: one value, a stated size, unknown members ignored.</summary>
    public async Task<T> ReadJsonAsync<T>(JsonTypeInfo<T> type, bool mayBeAbsent = false)
        where T : class, new()
    {
        var request = Http.Request;
        var maximum = Services.Options.JsonBytesMaximum;
        if (request.ContentLength > maximum)
            throw TooLarge(maximum);
        using var body = new MemoryStream((int)(request.ContentLength ?? 0));
        var chunk = ArrayPool<byte>.Shared.Rent(16 * 1024);
        try
        {
            int count;
            while ((count = await request.Body.ReadAsync(chunk, Aborted)) > 0)
            {
                if (body.Length + count > maximum)
                    throw TooLarge(maximum);
                body.Write(chunk, 0, count);
            }
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(chunk);
        }

        var bytes = body.GetBuffer().AsMemory(0, (int)body.Length);
        if (bytes.Span.Trim(" \t\r\n"u8).IsEmpty)
            return mayBeAbsent ? new T() : throw DockerException.BadRequest("invalid JSON: got EOF while reading request body");
        var contentType = request.ContentType;
        if (contentType is not null && !contentType.AsSpan().TrimStart().StartsWith("application/json", StringComparison.OrdinalIgnoreCase))
            throw DockerException.BadRequest($"unsupported Content-Type header ({contentType}): must be 'application/json'");
        try
        {
            return JsonSerializer.Deserialize(bytes.Span, type) ?? new T();
        }
        catch (JsonException e)
        {
            throw DockerException.BadRequest($"invalid JSON: {e.Message}");
        }
    }

    /// <summary>A body of any length at any speed: an image or an archive.</summary>
    public Stream ReadUnlimited()
    {
        Http.Features.Get<IHttpMaxRequestBodySizeFeature>()?.MaxRequestBodySize = null;
        Http.Features.Get<IHttpMinRequestBodyDataRateFeature>()?.MinDataRate = null;
        return Http.Request.Body;
    }

    /// <summary>
    /// Sends the head of an answer that goes on for as long as the client likes, at any speed. From here on an error can only cut
    /// the connection.
    /// </summary>
    public async Task<Stream> StartStreamAsync(string contentType)
    {
        Http.Features.Get<IHttpMinResponseDataRateFeature>()?.MinDataRate = null;
        Http.Response.ContentType = contentType;
        await Http.Response.StartAsync(Aborted);
        return Http.Response.Body;
    }

    private static DockerException TooLarge(int maximum) =>
        new(StatusCodes.Status413PayloadTooLarge, $"the request body is too large: at most {maximum} bytes are accepted");
}
