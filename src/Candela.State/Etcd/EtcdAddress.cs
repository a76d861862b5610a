using System.Globalization;

namespace Candela.State.Etcd;

/// <summary>Where an etcd cluster is, and below which keys the store is: <c>etcd://HOST[:PORT][,HOST[:PORT]…][/PREFIX][?ca=FILE&amp;cert=FILE&amp;key=FILE]</c>.</summary>
/// <param name="Endpoints">Members' client addresses, at least one.</param>
/// <param name="Prefix">Put before every key, ends with '/'; empty: none.</param>
/// <param name="CaFile">PEM file of the authorities that sign the members' certificates; null: plain text.</param>
/// <param name="CertificateFile">PEM file of the certificate that this client shows; null: none.</param>
/// <param name="KeyFile">PEM file of its private key.</param>
public sealed record EtcdAddress(IReadOnlyList<Uri> Endpoints, string Prefix, string? CaFile, string? CertificateFile, string? KeyFile)
{
    /// <summary>What addresses begin with.</summary>
    public const string Scheme = "etcd://";

    /// <summary>Most members.</summary>
    public const int EndpointCount = 16;

    private const int DefaultPort = 2379;
    private const int PrefixCount = 128;

    /// <summary>Reads an address.</summary>
    /// <exception cref="FormatException">It is none; the message says why.</exception>
    public static EtcdAddress Parse(string text)
    {
        ArgumentNullException.ThrowIfNull(text);
        if (!text.StartsWith(Scheme, StringComparison.Ordinal))
            throw new FormatException($"'{text}' does not begin with {Scheme}");
        var (rest, query) = Cut(text[Scheme.Length..], '?');
        var (hosts, prefix) = Cut(rest, '/');
        prefix = prefix.Trim('/');
        if (prefix.Length > PrefixCount || prefix.Any(char.IsControl))
            throw new FormatException($"the prefix of keys has at most {PrefixCount} characters, none of them a control character");
        var files = Options(query);
        var (ca, certificate, key) = (files.GetValueOrDefault("ca"), files.GetValueOrDefault("cert"), files.GetValueOrDefault("key"));
        if (certificate is null != key is null || (certificate is not null && ca is null))
            throw new FormatException("cert and key belong together, and with ca");
        var endpoints = hosts.Split(',').Select(host => Endpoint(host, ca is null ? "http" : "https")).ToList();
        if (endpoints.Count > EndpointCount)
            throw new FormatException($"at most {EndpointCount} members can be named");
        return new EtcdAddress(endpoints, prefix.Length == 0 ? "" : prefix + "/", ca, certificate, key);
    }

    /// <summary>The members, for people.</summary>
    public override string ToString() => string.Join(", ", Endpoints.Select(e => e.Authority));

    private static (string First, string Second) Cut(string text, char separator) =>
        text.IndexOf(separator) is >= 0 and var at ? (text[..at], text[(at + 1)..]) : (text, "");

    private static Dictionary<string, string> Options(string query)
    {
        var options = new Dictionary<string, string>(StringComparer.Ordinal);
        foreach (var (name, value) in query.Split('&', StringSplitOptions.RemoveEmptyEntries).Select(part => Cut(part, '=')))
        {
            if (name is not ("ca" or "cert" or "key"))
                throw new FormatException($"'{name}' is no option of an etcd address: ca, cert and key are");
            if (value.Length == 0 || !options.TryAdd(name, Uri.UnescapeDataString(value)))
                throw new FormatException($"{name} names one file");
        }

        return options;
    }

    private static Uri Endpoint(string host, string scheme)
    {
        if (host.Length == 0 || !Uri.TryCreate($"{scheme}://{host}", UriKind.Absolute, out var uri) || uri.PathAndQuery != "/" || uri.UserInfo.Length != 0)
            throw new FormatException($"'{host}' is no address of a member: give HOST or HOST:PORT");
        // Uri hides a port that is its scheme's default.
        var end = host.LastIndexOf(':');
        var hasPort = end > host.LastIndexOf(']') && int.TryParse(host.AsSpan(end + 1), NumberStyles.None, CultureInfo.InvariantCulture, out _);
        return hasPort ? uri : new UriBuilder(uri) { Port = DefaultPort }.Uri;
    }
}
