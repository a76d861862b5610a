using System.Globalization;

namespace Candela.Cli.Http;

/// <summary>A response; its body is read from the connection as it comes.</summary>
internal sealed class HttpResponse
{
    public HttpResponse(HttpConnection connection, int status, IReadOnlyDictionary<string, string> headers)
    {
        Connection = connection;
        Status = status;
        Headers = headers;
        Body = new BodyStream(connection, status, headers);
    }

    public HttpConnection Connection { get; }

    public int Status { get; }

    public IReadOnlyDictionary<string, string> Headers { get; }

    /// <summary>Body, transfer coding removed.</summary>
    public Stream Body { get; }

    /// <summary>The body has been read to its end, so that the connection can serve another request.</summary>
    public bool IsReusable => ((BodyStream)Body).Ended && !Headers.GetValueOrDefault("Connection", "").Equals("close", StringComparison.OrdinalIgnoreCase);

    public byte[] ReadAll()
    {
        var all = new MemoryStream();
        Body.CopyTo(all);
        return all.ToArray();
    }

    /// <summary>Message body length: RFC 9112, section 6.3.</summary>
    private sealed class BodyStream : Stream
    {
        private readonly HttpConnection connection;
        private readonly bool chunked;
        private bool untilClose;
        private long left;

        public BodyStream(HttpConnection connection, int status, IReadOnlyDictionary<string, string> headers)
        {
            this.connection = connection;
            if (status is 204 or 304 or 101)
                Ended = true;
            else if (headers.GetValueOrDefault("Transfer-Encoding", "").Equals("chunked", StringComparison.OrdinalIgnoreCase))
                chunked = true;
            else if (headers.TryGetValue("Content-Length", out string? length))
                Ended = (left = long.Parse(length, NumberStyles.None, CultureInfo.InvariantCulture)) == 0;
            else
                untilClose = true;
        }

        public bool Ended { get; private set; }

        public override int Read(Span<byte> destination)
        {
            if (Ended || destination.Length == 0)
                return 0;
            if (untilClose)
            {
                int received = connection.Receive(destination);
                untilClose = received > 0;
                return received;
            }
            if (chunked && left == 0 && !BeginChunk())
                return 0;
            int count = connection.Receive(destination[..(int)Math.Min(destination.Length, left)]);
            if (count == 0)
                throw new EndOfStreamException("the daemon closed the connection in the middle of its answer");
            left -= count;
            if (left == 0 && chunked)
                connection.ReadLine();
            else if (left == 0)
                Ended = true;
            return count;
        }

        private bool BeginChunk()
        {
            string size = connection.ReadLine();
            int semicolon = size.IndexOf(';', StringComparison.Ordinal);
            left = long.Parse(semicolon < 0 ? size : size[..semicolon], NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture);
            if (left > 0)
                return true;
            while (connection.ReadLine().Length > 0)
            {
                // Trailer fields have no meaning here.
            }
            Ended = true;
            return false;
        }

        public override int Read(byte[] buffer, int offset, int count) => Read(buffer.AsSpan(offset, count));

        public override bool CanRead => true;

        public override bool CanSeek => false;

        public override bool CanWrite => false;

        public override long Length => throw new NotSupportedException();

        public override long Position
        {
            get => throw new NotSupportedException();
            set => throw new NotSupportedException();
        }

        public override void Flush()
        {
        }

        public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

        public override void SetLength(long value) => throw new NotSupportedException();

        public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();
    }
}
