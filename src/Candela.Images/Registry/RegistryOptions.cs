using System.Net;
using System.Net.Sockets;
using Candela.Model;

namespace Candela.Images.Registry;

/// <summary>How registries are spoken to.</summary>
internal sealed record RegistryOptions
{
    /// <summary>
    /// Registries that may have an unknown certificate or plain HTTP: <c>host</c>, <c>host:port</c> or addresses as <c>10.0.0.0/8</c>.
    /// Loopback always is.
    /// </summary>
    public IReadOnlyList<string> InsecureRegistries { get; init; } = [];

    /// <summary>How long connecting, TLS included, may take.</summary>
    public TimeSpan ConnectTimeout { get; init; } = TimeSpan.FromSeconds(15);

    /// <summary>How long the head of an answer, or the next bytes of its body, may take.</summary>
    public TimeSpan IdleTimeout { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>How long a manifest or a token may take in all, one attempt.</summary>
    public TimeSpan DocumentTimeout { get; init; } = TimeSpan.FromMinutes(1);

    /// <summary>How often a request is made that fails for a passing reason; for layers, attempts that bring no further byte.</summary>
    public int Attempts { get; init; } = 5;

    /// <summary>How often one layer's download is taken up in all.</summary>
    public int LayerAttempts { get; init; } = 100;

    /// <summary>Bytes of a blob that one request uploads.</summary>
    public long UploadChunkBytes { get; init; } = 16 << 20;

    /// <summary>Pause before the second attempt; it doubles with each further one, up to <see cref="MaximumRetryDelay"/>.</summary>
    public TimeSpan RetryDelay { get; init; } = TimeSpan.FromMilliseconds(500);

    /// <summary>Longest pause between attempts.</summary>
    public TimeSpan MaximumRetryDelay { get; init; } = TimeSpan.FromSeconds(10);

    /// <summary>Whether this host (<c>name</c> or <c>name:port</c>) is loopback or listed as insecure.</summary>
    public bool IsInsecure(string authority)
    {
        var host = HostOf(authority);
        return IsLoopback(host) || InsecureRegistries.Any(entry => Matches(entry, authority, host));
    }

    /// <summary>Whether a host name or address (IPv6 in brackets or not) is this machine's loopback.</summary>
    public static bool IsLoopback(string host)
        => host.Equals("localhost", StringComparison.OrdinalIgnoreCase) || (IPAddress.TryParse(host, out var address) && IPAddress.IsLoopback(address));

    /// <summary>The pause after the given number of failed attempts (from 1).</summary>
    public TimeSpan DelayAfter(int failures)
    {
        var delay = RetryDelay * Math.Pow(2, Math.Min(failures, 16) - 1);
        return delay < MaximumRetryDelay ? delay : MaximumRetryDelay;
    }

    /// <summary>Checks the list of insecure registries.</summary>
    /// <exception cref="CandelaException">InvalidArgument.</exception>
    public RegistryOptions Validated()
    {
        foreach (var entry in InsecureRegistries)
        {
            var valid = entry.Contains("://", StringComparison.Ordinal)
                ? false
                : entry.Contains('/', StringComparison.Ordinal) ? IPNetwork.TryParse(entry, out _) : HostOf(entry).Length > 0;
            if (!valid)
                throw new CandelaException(ErrorCode.InvalidArgument, $"invalid insecure registry \"{entry}\": give host, host:port or addresses as 10.0.0.0/8");
        }

        return this;
    }

    private static bool Matches(string entry, string authority, string host)
    {
        if (IPNetwork.TryParse(entry, out var network))
            return IPAddress.TryParse(host, out var address) && address.AddressFamily == network.BaseAddress.AddressFamily && network.Contains(address);
        return entry.Equals(authority, StringComparison.OrdinalIgnoreCase) || entry.Equals(host, StringComparison.OrdinalIgnoreCase);
    }

    private static string HostOf(string authority)
    {
        if (authority.StartsWith('['))
            return authority.IndexOf(']', StringComparison.Ordinal) is > 1 and var end ? authority[1..end] : "";
        if (IPAddress.TryParse(authority, out var address) && address.AddressFamily == AddressFamily.InterNetworkV6)
            return authority;
        return authority.LastIndexOf(':') is >= 0 and var colon ? authority[..colon] : authority;
    }
}
