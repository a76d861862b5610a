namespace Candela.Identity.Tests.Tools;

/// <summary>
/// Makes hostile input out of good: flipped, cut, doubled, swapped, replaced by telling values. Deterministic. How many is said by
/// <c>CANDELA_FUZZ_COUNT</c>; few by default, since every run of the tests has it.
/// </summary>
public sealed class Mutator(int seed)
{
    private static readonly byte[] Telling = [0x00, 0x01, 0x02, 0x04, 0x05, 0x06, 0x0c, 0x16, 0x30, 0x31, 0x7f, 0x80, 0x81, 0x82, 0x84, 0xa0, 0xa1, 0xff, (byte)'"', (byte)'{', (byte)'.'];

    private readonly Random _random = new(seed);

    public static int Count { get; } = int.TryParse(Environment.GetEnvironmentVariable("CANDELA_FUZZ_COUNT"), out var count) ? count : 20_000;

    public byte[] Next(params byte[][] seeds)
    {
        var bytes = new List<byte>(seeds[_random.Next(seeds.Length)]);
        for (var times = _random.Next(1, 6); times > 0 && bytes.Count > 0; times--)
        {
            var at = _random.Next(bytes.Count);
            var length = Math.Min(_random.Next(1, 9), bytes.Count - at);
            switch (_random.Next(7))
            {
                case 0: bytes[at] ^= (byte)(1 << _random.Next(8)); break;
                case 1: bytes[at] = Telling[_random.Next(Telling.Length)]; break;
                case 2: bytes[at] = (byte)_random.Next(256); break;
                case 3: bytes.RemoveRange(at, length); break;
                case 4: bytes.InsertRange(at, bytes.GetRange(at, length)); break;
                case 5: bytes.RemoveRange(at, bytes.Count - at); break;
                default:
                    var other = seeds[_random.Next(seeds.Length)];
                    var from = _random.Next(other.Length);
                    bytes.InsertRange(at, other.AsSpan(from, Math.Min(_random.Next(1, 65), other.Length - from)).ToArray());
                    break;
            }
        }

        return [.. bytes];
    }
}
