using System.Security.Cryptography;
using System.Text.RegularExpressions;
using Candela.Model;

namespace Candela.Controller.Containers;

/// <summary>Names of containers: the rule, and made-up ones.</summary>
internal static partial class ContainerNames
{
    private static readonly string[] Adjectives =
    [
        "amber", "ample", "bold", "brave", "bright", "brisk", "calm", "candid", "cheery", "clear", "clever", "cosy", "crisp", "deft", "eager",
        "early", "easy", "fair", "fine", "fleet", "fond", "frank", "fresh", "gentle", "glad", "golden", "grand", "handy", "hardy", "hearty",
        "humble", "jolly", "keen", "kind", "light", "lively", "lucid", "lucky", "mellow", "merry", "mild", "neat", "nimble", "noble", "patient",
        "plucky", "polite", "proud", "quick", "quiet", "ready", "robust", "rosy", "serene", "sharp", "silver", "smart", "snug", "sober", "solid",
        "steady", "sturdy", "sunny", "swift", "tidy", "tranquil", "trusty", "vivid", "warm", "wise", "witty", "zesty",
    ];

    private static readonly string[] Nouns =
    [
        "acorn", "alder", "anchor", "aspen", "badger", "beacon", "birch", "bittern", "brook", "candle", "cedar", "clover", "comet", "coral",
        "crane", "curlew", "dolphin", "dune", "ember", "falcon", "fern", "finch", "fjord", "flint", "forest", "garnet", "glacier", "grove",
        "harbour", "hazel", "heather", "heron", "island", "ivy", "jasper", "juniper", "kestrel", "lagoon", "lantern", "larch", "lark", "linden",
        "lynx", "maple", "marten", "meadow", "mistral", "nebula", "oak", "opal", "orchid", "otter", "pebble", "pine", "plover", "poppy",
        "quartz", "raven", "reef", "ridge", "river", "robin", "rowan", "sequoia", "siskin", "sparrow", "spruce", "summit", "thistle", "tulip",
        "valley", "walnut", "willow", "wren",
    ];

    [GeneratedRegex("^[a-zA-Z0-9][a-zA-Z0-9_.-]+\\z", RegexOptions.CultureInvariant)]
    private static partial Regex Rule { get; }

    /// <summary>Makes a name up; from the <paramref name="attempt"/>th on with a number, so that one is found however many are taken.</summary>
    public static string MakeUp(int attempt)
    {
        var name = $"{Pick(Adjectives)}_{Pick(Nouns)}";
        return attempt < 3 ? name : name + RandomNumberGenerator.GetInt32(0, 10 << Math.Min(attempt, 20));
    }

    /// <summary>Checks a name that a user gave; a leading slash, as Docker's clients may write it, is dropped.</summary>
    /// <exception cref="CandelaException">InvalidArgument.</exception>
    public static string Check(string name)
    {
        if (name.StartsWith('/'))
            name = name[1..];
        if (name.Length > Limits.NameLength)
            throw new CandelaException(ErrorCode.InvalidArgument, $"Invalid container name: at most {Limits.NameLength} characters are allowed");
        if (!Rule.IsMatch(name))
            throw new CandelaException(ErrorCode.InvalidArgument, $"Invalid container name ({name}), only [a-zA-Z0-9][a-zA-Z0-9_.-] are allowed");
        return name;
    }

    private static string Pick(string[] words) => words[RandomNumberGenerator.GetInt32(words.Length)];
}
