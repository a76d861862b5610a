using System.Net.Sockets;
using System.Text;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;

namespace Candela.Cli.Http;

/// <summary>Calls the daemon's REST API. Blocking; one call at a time, but <see cref="Another"/> gives a second client for another thread.</summary>
internal sealed class DaemonClient(string socketPath) : IDisposable
{
    private const string JsonType = "application/json";

    private HttpConnection? idle;

    public string SocketPath => socketPath;

    public DaemonClient Another() => new(socketPath);

    public T Get<T>(string target, JsonTypeInfo<T> type) => Deserialize(GetJson(target), type);

    public byte[] GetJson(string target) => Complete(Request("GET", target, default));

    public byte[] Post(string target) => Complete(Request("POST", target, default));

    public byte[] Post<T>(string target, T body, JsonTypeInfo<T> type) =>
        Complete(Request("POST", target, JsonSerializer.SerializeToUtf8Bytes(body, type)));

    public TResult Post<T, TResult>(string target, T body, JsonTypeInfo<T> type, JsonTypeInfo<TResult> resultType) =>
        Deserialize(Post(target, body, type), resultType);

    public byte[] Put(string target) => Complete(Request("PUT", target, default));

    public byte[] Put<T>(string target, T body, JsonTypeInfo<T> type) => Complete(Request("PUT", target, JsonSerializer.SerializeToUtf8Bytes(body, type)));

    public byte[] Patch<T>(string target, T body, JsonTypeInfo<T> type) => Complete(Request("PATCH", target, JsonSerializer.SerializeToUtf8Bytes(body, type)));

    public byte[] Delete(string target) => Complete(Request("DELETE", target, default));

    /// <summary>Sends a body of unknown length; the response is still to be read.</summary>
    public HttpResponse Upload(string method, string target, Stream body, string contentType)
    {
        var connection = Connect();
        return Checked(connection.Send(method, target, body, contentType));
    }

    /// <summary>Posts; the body of the answer comes bit by bit.</summary>
    public HttpResponse PostStream<T>(string target, T body, JsonTypeInfo<T> type) =>
        Request("POST", target, JsonSerializer.SerializeToUtf8Bytes(body, type));

    /// <summary>A response whose body comes bit by bit.</summary>
    public HttpResponse Stream(string method, string target) => Request(method, target, default);

    /// <summary>A connection that speaks candela-stream after the upgrade.</summary>
    public StreamConnection Upgrade(string method, string target, ReadOnlySpan<byte> body = default)
    {
        var connection = Connect();
        var response = Checked(connection.Send(method, target, body, JsonType, StreamConnection.Protocol));
        return response.Status == 101
            ? new StreamConnection(connection)
            : throw new InvalidDataException($"the daemon did not switch to {StreamConnection.Protocol} (status {response.Status})");
    }

    public static T Deserialize<T>(ReadOnlySpan<byte> json, JsonTypeInfo<T> type) =>
        JsonSerializer.Deserialize(json, type) ?? throw new InvalidDataException("the daemon sent an empty answer");

    public void Dispose() => idle?.Dispose();

    private HttpResponse Request(string method, string target, ReadOnlySpan<byte> body)
    {
        var connection = idle ?? Connect();
        idle = null;
        return Checked(connection.Send(method, target, body, JsonType));
    }

    private byte[] Complete(HttpResponse response)
    {
        byte[] body = response.ReadAll();
        if (response.IsReusable)
            idle = response.Connection;
        else
            response.Connection.Dispose();
        return body;
    }

    private HttpConnection Connect()
    {
        try
        {
            return HttpConnection.Connect(socketPath);
        }
        catch (SocketException exception)
        {
            throw new DaemonUnreachableException(socketPath, exception);
        }
    }

    private static HttpResponse Checked(HttpResponse response)
    {
        if (response.Status is >= 100 and < 300)
            return response;
        byte[] body = response.ReadAll();
        response.Connection.Dispose();
        throw ApiException.From(response.Status, body);
    }
}

/// <summary>Nobody answers on the daemon's socket.</summary>
internal sealed class DaemonUnreachableException(string socketPath, SocketException inner) : Exception(Explain(socketPath, inner), inner)
{
    private static string Explain(string path, SocketException inner) => inner.SocketErrorCode switch
    {
        SocketError.AccessDenied => $"no permission to use {path}: run as root or as a member of the socket's group",
        _ => $"cannot reach candelad at {path}: is it running? Start it with 'candela up', or name another socket with --host or CANDELA_HOST",
    };
}

/// <summary>The daemon answered with an error (problem details, RFC 9457).</summary>
internal sealed class ApiException(int status, string code, string message) : Exception(message)
{
    public int Status { get; } = status;

    /// <summary>Name of a <see cref="Model.ErrorCode"/>, or empty.</summary>
    public string Code { get; } = code;

    public bool Is(Model.ErrorCode errorCode) => Code.Equals(errorCode.ToString(), StringComparison.OrdinalIgnoreCase);

    public static ApiException From(int status, ReadOnlyMemory<byte> body)
    {
        try
        {
            using var document = JsonDocument.Parse(body);
            var root = document.RootElement;
            string? Text(string name) =>
                root.ValueKind == JsonValueKind.Object && root.TryGetProperty(name, out var value) && value.ValueKind == JsonValueKind.String ? value.GetString() : null;
            return new ApiException(status, Text("code") ?? "", Text("detail") ?? Text("title") ?? Text("message") ?? $"the daemon answered with status {status}");
        }
        catch (JsonException)
        {
            string text = Encoding.UTF8.GetString(body.Span[..Math.Min(body.Length, 1000)]).Trim();
            return new ApiException(status, status == 304 ? nameof(Model.ErrorCode.NotModified) : "", text.Length > 0 ? text : $"the daemon answered with status {status}");
        }
    }
}
