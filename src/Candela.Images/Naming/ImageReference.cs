using System.Text.RegularExpressions;
using Candela.Model;

namespace Candela.Images.Naming;

/// <summary>
/// A normalised image reference, <c>domain/path[:tag][@digest]</c>, read as Docker reads it: Docker Hub is the default registry,
/// <c>library/</c> its default namespace. A tag is never added by itself; see <see cref="WithDefaultTag"/>.
/// </summary>
internal sealed partial record ImageReference
{
    /// <summary>Docker Hub's name in normalised references.</summary>
    public const string DefaultDomain = "docker.io";

    /// <summary>The tag that stands for none.</summary>
    public const string DefaultTag = "latest";

    private const string LegacyDefaultDomain = "index.docker.io";
    private const string OfficialPrefix = "library/";
    private const int PathLengthMaximum = 255;
    private const int LengthMaximum = 1024;

    private ImageReference(string domain, string path, string? tag, string? digest)
    {
        Domain = domain;
        Path = path;
        Tag = tag;
        Digest = digest;
    }

    /// <summary>Registry: host name or address, with port if given.</summary>
    public string Domain { get; }

    /// <summary>Repository within the registry, for example <c>library/alpine</c>.</summary>
    public string Path { get; }

    /// <summary>Tag, or null.</summary>
    public string? Tag { get; private init; }

    /// <summary><c>sha256:…</c> of a manifest, or null.</summary>
    public string? Digest { get; private init; }

    /// <summary><c>domain/path</c>.</summary>
    public string Name => $"{Domain}/{Path}";

    /// <summary>The name as users write it: Docker Hub's prefixes left out.</summary>
    public string FamiliarName
    {
        get
        {
            if (Domain != DefaultDomain)
                return Name;
            return Path.StartsWith(OfficialPrefix, StringComparison.Ordinal) && !Path[OfficialPrefix.Length..].Contains('/', StringComparison.Ordinal)
                ? Path[OfficialPrefix.Length..]
                : Path;
        }
    }

    /// <summary>The whole reference as users write it.</summary>
    public string Familiar => FamiliarName + Suffix;

    private string Suffix => (Tag is null ? "" : ":" + Tag) + (Digest is null ? "" : "@" + Digest);

    /// <summary>This reference, tagged <c>latest</c> when it has neither tag nor digest.</summary>
    public ImageReference WithDefaultTag() => Tag is null && Digest is null ? this with { Tag = DefaultTag } : this;

    /// <summary>The same repository by tag only.</summary>
    public ImageReference WithoutDigest() => this with { Digest = null };

    /// <summary>The same repository by this manifest only.</summary>
    public ImageReference ByDigest(string digest) => this with { Tag = null, Digest = digest };

    /// <summary>The normalised reference.</summary>
    public override string ToString() => Name + Suffix;

    /// <summary>Reads and normalises a reference.</summary>
    /// <exception cref="CandelaException">InvalidArgument, in Docker's words.</exception>
    public static ImageReference Parse(string text)
    {
        if (text.Length > LengthMaximum)
            throw Invalid("invalid reference format");
        if (IdentifierPattern().IsMatch(text))
            throw Invalid($"invalid repository name ({text}), cannot specify 64-byte hexadecimal strings");

        (string domain, string rest) = SplitDomain(text);
        int end = rest.AsSpan().IndexOfAny(':', '@');
        string path = end < 0 ? rest : rest[..end];
        if (path.Any(char.IsAsciiLetterUpper))
            throw Invalid($"invalid reference format: repository name ({path}) must be lowercase");

        Match match = Pattern().Match($"{domain}/{rest}");
        if (!match.Success)
            throw Invalid("invalid reference format");
        if (match.Groups["path"].Length > PathLengthMaximum)
            throw Invalid($"invalid reference format: repository name must not be more than {PathLengthMaximum} characters");
        return new ImageReference(match.Groups["domain"].Value, match.Groups["path"].Value, Optional("tag"), Optional("digest"));

        string? Optional(string name) => match.Groups[name] is { Success: true, Value: var value } ? value : null;
    }

    /// <summary>Reads a reference, or returns false.</summary>
    public static bool TryParse(string text, out ImageReference? reference)
    {
        try
        {
            reference = Parse(text);
            return true;
        }
        catch (CandelaException)
        {
            reference = null;
            return false;
        }
    }

    private static (string Domain, string Remainder) SplitDomain(string text)
    {
        string domain = DefaultDomain;
        string rest = text;
        int slash = text.IndexOf('/', StringComparison.Ordinal);
        if (slash >= 0 && IsDomain(text[..slash]))
            (domain, rest) = (text[..slash], text[(slash + 1)..]);
        if (domain == LegacyDefaultDomain)
            domain = DefaultDomain;
        if (domain == DefaultDomain && !rest.Contains('/', StringComparison.Ordinal))
            rest = OfficialPrefix + rest;
        return (domain, rest);
    }

    private static bool IsDomain(string text) =>
        text.AsSpan().IndexOfAny('.', ':') >= 0 || text == "localhost" || text.Any(char.IsAsciiLetterUpper);

    private static CandelaException Invalid(string message) => new(ErrorCode.InvalidArgument, message);

    [GeneratedRegex(@"^[a-f0-9]{64}\z", RegexOptions.CultureInvariant)]
    private static partial Regex IdentifierPattern();

    // distribution/reference, regexp.go; the digest is sha256 only.
    [GeneratedRegex(
        """^(?<domain>(?:[a-zA-Z0-9](?:[a-zA-Z0-9-]*[a-zA-Z0-9])?(?:\.[a-zA-Z0-9](?:[a-zA-Z0-9-]*[a-zA-Z0-9])?)*|\[[a-fA-F0-9:]+\])(?::[0-9]+)?)/(?<path>[a-z0-9]+(?:(?:[._]|__|-+)[a-z0-9]+)*(?:/[a-z0-9]+(?:(?:[._]|__|-+)[a-z0-9]+)*)*)(?::(?<tag>[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}))?(?:@(?<digest>sha256:[a-f0-9]{64}))?\z""",
        RegexOptions.CultureInvariant | RegexOptions.NonBacktracking | RegexOptions.ExplicitCapture)]
    private static partial Regex Pattern();
}
