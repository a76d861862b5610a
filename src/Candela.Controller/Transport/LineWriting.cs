using System.Buffers;

namespace Candela.Controller.Transport;

/// <summary>Writing of lines to a client that may have gone.</summary>
public static class LineWriting
{
    /// <summary>Ends a line.</summary>
    /// <param name="writer">Body of a response. Kestrel's gives an empty span, which <c>Write</c> takes for an error, unless a size is asked for when the connection is gone.</param>
    public static void EndLine(this IBufferWriter<byte> writer)
    {
        ArgumentNullException.ThrowIfNull(writer);
        writer.GetSpan(1)[0] = (byte)'\n';
        writer.Advance(1);
    }
}
