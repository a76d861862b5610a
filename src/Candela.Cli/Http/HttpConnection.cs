using System.Net.Sockets;
using System.Text;

namespace Candela.Cli.Http;

/// <summary>
/// One HTTP/1.1 connection (RFC 9112): one request at a time, blocking.
/// HttpClient would cost more start time than the whole of most commands.
/// </summary>
/// <param name="transport">Carries the bytes; is disposed of with this.</param>
/// <param name="host">For the header Host.</param>
internal sealed class HttpConnection(Transport transport, string host) : IDisposable
{
    /// <summary>Longest response head, bytes.</summary>
    private const int HeadBytesLimit = 64 * 1024;

    private const int CopyBufferBytes = 64 * 1024;

    private readonly byte[] buffer = new byte[16 * 1024];
    private int bufferStart;
    private int bufferEnd;

    /// <summary>Value of the header Authorization of the next requests; null: none.</summary>
    public string? Authorization { get; set; }

    /// <summary>Sends a request with a body in memory; empty: none.</summary>
    public HttpResponse Send(string method, string target, ReadOnlySpan<byte> body, string contentType, string? upgrade = null)
    {
        var head = Head(method, target, upgrade);
        if (body.Length > 0)
            head.Append("Content-Type: ").Append(contentType).Append("\r\n");
        if (body.Length > 0 || method is "POST" or "PUT")
            head.Append("Content-Length: ").Append(body.Length).Append("\r\n");
        head.Append("\r\n");
        byte[] bytes = new byte[Encoding.ASCII.GetByteCount(head.ToString()) + body.Length];
        int headLength = Encoding.ASCII.GetBytes(head.ToString(), bytes);
        body.CopyTo(bytes.AsSpan(headLength));
        SendAll(bytes);
        return ReadResponse();
    }

    /// <summary>Sends a request with a body of unknown length, chunked.</summary>
    public HttpResponse Send(string method, string target, Stream body, string contentType)
    {
        var head = Head(method, target, upgrade: null)
            .Append("Content-Type: ").Append(contentType).Append("\r\nTransfer-Encoding: chunked\r\n\r\n");
        SendAll(Encoding.ASCII.GetBytes(head.ToString()));
        byte[] chunk = new byte[CopyBufferBytes];
        try
        {
            int count;
            while ((count = body.Read(chunk)) > 0)
            {
                SendAll(Encoding.ASCII.GetBytes(count.ToString("x", null) + "\r\n"));
                SendAll(chunk.AsSpan(0, count));
                SendAll("\r\n"u8);
            }
            SendAll("0\r\n\r\n"u8);
        }
        catch (SocketException)
        {
            // The daemon stopped reading: its answer, which says why, may be there already. If not, ReadResponse throws.
        }
        return ReadResponse();
    }

    public void SendAll(ReadOnlySpan<byte> data) => transport.SendAll(data);

    /// <summary>Reads what is there, at least one byte; 0 at the end.</summary>
    public int Receive(Span<byte> destination)
    {
        if (bufferStart == bufferEnd)
            return transport.Receive(destination);
        int count = Math.Min(destination.Length, bufferEnd - bufferStart);
        buffer.AsSpan(bufferStart, count).CopyTo(destination);
        bufferStart += count;
        return count;
    }

    /// <summary>Reads a line of the protocol, without its CR LF.</summary>
    public string ReadLine()
    {
        var line = new StringBuilder();
        while (true)
        {
            if (bufferStart == bufferEnd)
            {
                bufferStart = 0;
                bufferEnd = transport.Receive(buffer);
                if (bufferEnd == 0)
                    throw new EndOfStreamException("the daemon closed the connection");
            }
            var rest = buffer.AsSpan(bufferStart, bufferEnd - bufferStart);
            int newline = rest.IndexOf((byte)'\n');
            line.Append(Encoding.Latin1.GetString(newline < 0 ? rest : rest[..newline]));
            bufferStart = newline < 0 ? bufferEnd : bufferStart + newline + 1;
            if (line.Length > HeadBytesLimit)
                throw new InvalidDataException($"the daemon's answer has a line of more than {HeadBytesLimit} bytes");
            if (newline >= 0)
                return line.ToString().TrimEnd('\r');
        }
    }

    /// <summary>Wakes a thread that waits in <see cref="Receive"/>.</summary>
    public void Shutdown() => transport.Shutdown();

    public void Dispose() => transport.Dispose();

    private StringBuilder Head(string method, string target, string? upgrade)
    {
        var head = new StringBuilder(256).Append(method).Append(' ').Append(target).Append(" HTTP/1.1\r\nHost: ").Append(host).Append("\r\n");
        if (Authorization is not null)
            head.Append("Authorization: ").Append(Authorization).Append("\r\n");
        if (upgrade is not null)
            head.Append("Connection: Upgrade\r\nUpgrade: ").Append(upgrade).Append("\r\n");
        return head;
    }

    private HttpResponse ReadResponse()
    {
        while (true)
        {
            string status = ReadLine();
            // status-line = HTTP-version SP status-code SP [ reason-phrase ]
            if (status.Length < 12 || !status.StartsWith("HTTP/1.", StringComparison.Ordinal) || !int.TryParse(status.AsSpan(9, 3), out int code))
                throw new InvalidDataException($"this is not an HTTP server: it answered '{status}'");
            var headers = new Dictionary<string, string>(StringComparer.OrdinalIgnoreCase);
            int headLength = 0;
            for (string line = ReadLine(); line.Length > 0; line = ReadLine())
            {
                headLength += line.Length;
                if (headLength > HeadBytesLimit)
                    throw new InvalidDataException($"the daemon's answer has a head of more than {HeadBytesLimit} bytes");
                int colon = line.IndexOf(':', StringComparison.Ordinal);
                if (colon > 0)
                    headers[line[..colon]] = line[(colon + 1)..].Trim();
            }
            if (code is >= 100 and < 200 and not 101)
                continue;
            return new HttpResponse(this, code, headers);
        }
    }
}
