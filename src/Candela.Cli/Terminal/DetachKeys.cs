namespace Candela.Cli.Terminal;

/// <summary>
/// Finds the key sequence that detaches (default Ctrl-P Ctrl-Q) in what is typed. Keys of an unfinished sequence are
/// held back and given on when the sequence does not complete.
/// </summary>
internal sealed class DetachKeys(byte[] sequence)
{
    public const string Default = "ctrl-p,ctrl-q";

    private int matched;

    /// <summary>Parses docker's notation: <c>ctrl-p,ctrl-q</c>; single characters or ctrl- and one of a–z @ [ \ ] ^ _.</summary>
    public static DetachKeys Parse(string text)
    {
        var keys = new List<byte>();
        foreach (string key in text.Split(',', StringSplitOptions.RemoveEmptyEntries))
        {
            if (key.Length == 1 && key[0] < 0x80)
                keys.Add((byte)key[0]);
            else if (key.Length == 6 && key.StartsWith("ctrl-", StringComparison.OrdinalIgnoreCase) && char.ToUpperInvariant(key[5]) is >= '@' and <= '_')
                keys.Add((byte)(char.ToUpperInvariant(key[5]) & 0x1f));
            else
                throw new CommandLine.UsageException($"--detach-keys: '{key}' is neither a character nor ctrl- and a letter");
        }
        return new DetachKeys([.. keys]);
    }

    /// <summary>Copies what goes to the container into <paramref name="output"/> (as long as input plus sequence).</summary>
    /// <returns>How much was copied, and whether the sequence is complete.</returns>
    public (int Count, bool Detach) Filter(ReadOnlySpan<byte> input, Span<byte> output)
    {
        int count = 0;
        foreach (byte key in input)
        {
            if (sequence.Length > 0 && key == sequence[matched])
            {
                if (++matched == sequence.Length)
                {
                    matched = 0;
                    return (count, true);
                }
                continue;
            }
            sequence.AsSpan(0, matched).CopyTo(output[count..]);
            count += matched;
            matched = sequence.Length > 0 && matched > 0 && key == sequence[0] ? 1 : 0;
            if (matched == 0)
                output[count++] = key;
        }
        return (count, false);
    }

    public int Length => sequence.Length;
}
