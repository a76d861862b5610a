using System.Text.Json;
using System.Text.Json.Serialization.Metadata;

namespace Candela.Cli.Http;

/// <summary>Calls the daemon's REST API. Blocking; one call at a time, but <see cref="Another"/> gives a second client for another thread.</summary>
internal sealed class DaemonClient(DaemonAddress address) : IDisposable
{
    private const string JsonType = "application/json";

    private HttpConnection? idle;

    /// <param name="socketPath">Socket of a daemon on this host.</param>
    public DaemonClient(string socketPath)
        : this(new LocalAddress(socketPath))
    {
    }

    public DaemonClient Another() => new(address);

    /// <summary>Posts a form (HTML, section 4.10.21.7).</summary>
    public HttpResponse PostForm(string target, ReadOnlySpan<byte> body, string? authorization)
    {
        var connection = Connect();
        connection.Authorization = authorization;
        return connection.Send("POST", target, body, "application/x-www-form-urlencoded");
    }

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
        connection.Authorization = address.Authorization();
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
        connection.Authorization = address.Authorization();
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
        connection.Authorization = address.Authorization();
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

    private HttpConnection Connect() => new(address.Connect(), address.Host);

    private HttpResponse Checked(HttpResponse response)
    {
        if (response.Status is >= 100 and < 300)
            return response;
        byte[] body = response.ReadAll();
        response.Connection.Dispose();
        var exception = ApiException.From(response.Status, body);
        throw response.Status == 401 && address.SignInHint is { } hint ? new ApiException(401, exception.Code, $"{exception.Message}; {hint}") : exception;
    }
}
