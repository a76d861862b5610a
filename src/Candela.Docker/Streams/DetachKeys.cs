using Candela.Docker.Http;

namespace Candela.Docker.Streams;

/// <summary>
/// Watches the input of a terminal for the key sequence that detaches. Keys that begin the sequence are held back until it is
/// clear that they are not it.
/// </summary>
internal sealed class DetachKeys(byte[] sequence)
{
    private const int SequenceMaximum = 16;

    private static readonly byte[] Default = [0x10, 0x11]; // ctrl-p, ctrl-q

    private int _matched;

    /// <summary>Reads Docker's notation: comma-separated single characters and <c>ctrl-</c>X with X of a–z, @, [, \, ], ^, _.</summary>
    public static DetachKeys Parse(string? text)
    {
        if (string.IsNullOrEmpty(text))
            return new DetachKeys(Default);
        var keys = text.Split(',');
        if (keys.Length > SequenceMaximum)
            throw Invalid(text);
        return new DetachKeys(Array.ConvertAll(keys, key => ParseKey(key) ?? throw Invalid(text)));
    }

    /// <summary>Takes input; gives what goes on to the process.</summary>
    /// <returns>True when the sequence is complete: the client wants to leave.</returns>
    public bool Filter(ReadOnlySpan<byte> input, List<byte> passed)
    {
        foreach (var b in input)
        {
            if (b == sequence[_matched])
            {
                if (++_matched == sequence.Length)
                {
                    _matched = 0;
                    return true;
                }

                continue;
            }

            passed.AddRange(sequence.AsSpan(0, _matched));
            _matched = 0;
            if (b == sequence[0] && sequence.Length > 1)
                _matched = 1;
            else
                passed.Add(b);
        }

        return false;
    }

    private static byte? ParseKey(string key)
    {
        if (key.Length == 1 && key[0] < 0x80)
            return (byte)key[0];
        if (key.Length != 6 || !key.StartsWith("ctrl-", StringComparison.OrdinalIgnoreCase))
            return null;
        return char.ToLowerInvariant(key[5]) switch
        {
            >= 'a' and <= 'z' and var letter => (byte)(letter - 'a' + 1),
            '@' => 0,
            '[' => 27,
            '\\' => 28,
            ']' => 29,
            '^' => 30,
            '_' => 31,
            _ => null,
        };
    }

    private static DockerException Invalid(string text) =>
        DockerException.BadRequest($"Invalid detach keys ({(text.Length > 64 ? text[..64] : text)}) provided: use characters and ctrl-X, separated by commas");
}
