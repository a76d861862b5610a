using System.Globalization;

namespace Candela.Docker.Http;

/// <summary>A version of the Engine API, as in <c>/v1.50/…</c>.</summary>
internal readonly record struct ApiVersion(int Major, int Minor) : IComparable<ApiVersion>
{
    public static readonly ApiVersion Newest = Parse(DockerApiOptions.ApiVersion)!.Value;
    public static readonly ApiVersion Oldest = Parse(DockerApiOptions.ApiVersionMinimum)!.Value;

    public static ApiVersion? Parse(ReadOnlySpan<char> text)
    {
        var point = text.IndexOf('.');
        return point > 0
            && int.TryParse(text[..point], NumberStyles.None, CultureInfo.InvariantCulture, out var major)
            && int.TryParse(text[(point + 1)..], NumberStyles.None, CultureInfo.InvariantCulture, out var minor)
            ? new ApiVersion(major, minor)
            : null;
    }

    public int CompareTo(ApiVersion other) => Major != other.Major ? Major.CompareTo(other.Major) : Minor.CompareTo(other.Minor);

    public bool AtLeast(int minor) => CompareTo(new ApiVersion(1, minor)) >= 0;

    /// <summary>Refuses versions outside of the accepted range with Docker's texts.</summary>
    public void ThrowIfUnsupported()
    {
        if (CompareTo(Newest) > 0)
            throw DockerException.BadRequest($"client version {this} is too new. Maximum supported API version is {Newest}");
        if (CompareTo(Oldest) < 0)
            throw DockerException.BadRequest(
                $"client version {this} is too old. Minimum supported API version is {Oldest}, please upgrade your client to a newer version");
    }

    public override string ToString() => string.Create(CultureInfo.InvariantCulture, $"{Major}.{Minor}");
}
