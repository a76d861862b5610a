namespace Candela.Docker.Images;

/// <summary>Image references as users write and read them.</summary>
internal static class ImageNames
{
    private const int ShortIdLength = 12;

    /// <summary><c>name</c> becomes <c>name:latest</c>; digests, tags and ids stay.</summary>
    public static string WithDefaultTag(string reference) =>
        reference.Length == 0 || reference.Contains('@', StringComparison.Ordinal) || HasTag(reference) ? reference : reference + ":latest";

    /// <summary>Docker Hub's prefixes left out.</summary>
    public static string Familiar(string reference)
    {
        foreach (var prefix in (string[])["docker.io/library/", "index.docker.io/library/", "docker.io/", "index.docker.io/"])
        {
            if (reference.StartsWith(prefix, StringComparison.Ordinal))
                return reference[prefix.Length..];
        }

        return reference;
    }

    public static string ShortId(string id)
    {
        var digits = id.StartsWith("sha256:", StringComparison.Ordinal) ? id["sha256:".Length..] : id;
        return digits.Length <= ShortIdLength ? digits : digits[..ShortIdLength];
    }

    /// <summary>Name and tag of <c>name:tag</c>; the tag is empty when there is none.</summary>
    public static (string Name, string Tag) Split(string reference)
    {
        var colon = reference.LastIndexOf(':');
        return HasTag(reference) ? (reference[..colon], reference[(colon + 1)..]) : (reference, "");
    }

    private static bool HasTag(string reference) => reference.LastIndexOf(':') > reference.LastIndexOf('/');
}
