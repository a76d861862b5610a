using System.Text;

namespace Candela.Images.Tests.Registry;

/// <summary>A request as it came.</summary>
internal sealed record FakeRequest(string Method, string Target, IReadOnlyDictionary<string, string> Headers, string Body)
{
    public string? Authorization => Headers.GetValueOrDefault("Authorization");

    /// <summary>First byte asked for; 0 without a Range header.</summary>
    public int RangeStart => Headers.TryGetValue("Range", out var range)
        ? int.Parse(range["bytes=".Length..].TrimEnd('-'), System.Globalization.CultureInfo.InvariantCulture)
        : 0;
}

/// <summary>What to send, down to the faults on the wire.</summary>
internal sealed record FakeAnswer
{
    public int Status { get; init; } = 200;

    public IReadOnlyList<(string Name, string Value)> Headers { get; init; } = [];

    public byte[] Body { get; init; } = [];

    /// <summary>Content-Length to claim; null: the true one; -1: none, the body ends with the connection.</summary>
    public long? ContentLength { get; init; }

    /// <summary>After the body, more and more zeros until the client leaves.</summary>
    public bool Endless { get; init; }

    /// <summary>After the body, nothing, with the connection kept open until the client leaves.</summary>
    public bool Silent { get; init; }

    /// <summary>After the body, the connection is reset instead of closed.</summary>
    public bool Reset { get; init; }

    public static FakeAnswer Json(string text, int status = 200, string mediaType = "application/json")
        => new() { Status = status, Headers = [("Content-Type", mediaType)], Body = Encoding.UTF8.GetBytes(text) };

    public static FakeAnswer Error(int status, string code, string message)
        => Json($$"""{"errors":[{"code":"{{code}}","message":"{{message}}"}]}""", status);

    public static FakeAnswer Challenge(string challenge)
        => Error(401, "UNAUTHORIZED", "authentication required") with { Headers = [("WWW-Authenticate", challenge)] };

    public static FakeAnswer Redirect(string location, int status = 307) => new() { Status = status, Headers = [("Location", location)] };

    /// <summary>The content from the byte that the request asks for, as 206 if it is not the first.</summary>
    public static FakeAnswer Range(FakeRequest request, byte[] content)
        => request.RangeStart == 0
            ? new FakeAnswer { Body = content }
            : new FakeAnswer
            {
                Status = 206,
                Headers = [("Content-Range", $"bytes {request.RangeStart}-{content.Length - 1}/{content.Length}")],
                Body = content[request.RangeStart..],
            };

    /// <summary>The same with the connection broken after so many bytes of the body.</summary>
    public FakeAnswer BrokenAfter(int count) => this with { ContentLength = Body.Length, Body = Body[..Math.Min(count, Body.Length)] };
}
