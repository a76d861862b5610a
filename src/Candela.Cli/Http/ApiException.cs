using System.Text;
using System.Text.Json;

namespace Candela.Cli.Http;

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
