namespace Candela.Cli.Http;

/// <summary>Splits a body of lines (JSON, one value a line) as it comes.</summary>
internal static class Lines
{
    private const int LineBytesLimit = 1024 * 1024;

    public static IEnumerable<byte[]> Read(Stream body)
    {
        byte[] buffer = new byte[16 * 1024];
        var line = new List<byte>();
        int count;
        while ((count = body.Read(buffer)) > 0)
        {
            int start = 0;
            while (start < count)
            {
                int newline = Array.IndexOf(buffer, (byte)'\n', start, count - start);
                int end = newline < 0 ? count : newline;
                line.AddRange(buffer.AsSpan(start, end - start));
                start = end + 1;
                if (line.Count > LineBytesLimit)
                    throw new InvalidDataException($"the daemon sent a line of more than {LineBytesLimit} bytes");
                if (newline < 0)
                    break;
                if (line.Count > 0)
                    yield return [.. line];
                line.Clear();
            }
        }
        if (line.Count > 0)
            yield return [.. line];
    }
}
