using System.Net;

namespace Candela.Network.Dns;

/// <summary>The resolvers that the host uses (resolv.conf(5)), read again when the file changes.</summary>
public sealed class HostResolvers(string path = "/etc/resolv.conf")
{
    private const int MostServers = 3; // as in resolv.h
    private const int MostFileBytes = 64 * 1024;
    private readonly Lock _gate = new();
    private (DateTime Time, IPEndPoint[] Servers, string[] Search) _read = (default, [], []);

    /// <summary>Servers, in the order in which they are asked; none when the file names none.</summary>
    public IReadOnlyList<IPEndPoint> Servers => Read().Servers;

    /// <summary>Domains that short names are tried in.</summary>
    public IReadOnlyList<string> Search => Read().Search;

    private (DateTime Time, IPEndPoint[] Servers, string[] Search) Read()
    {
        lock (_gate)
        {
            var file = new FileInfo(path);
            if (!file.Exists || file.Length > MostFileBytes)
                return (default, [], []);
            if (file.LastWriteTimeUtc == _read.Time)
                return _read;
            string[][] lines = [.. File.ReadLines(path).Select(l => l.Split([' ', '\t'], StringSplitOptions.RemoveEmptyEntries))];
            IPEndPoint[] servers = [.. lines.Where(l => l is ["nameserver", ..] && l.Length > 1).Select(l => IPAddress.TryParse(l[1], out IPAddress? a) ? a : null)
                .OfType<IPAddress>().Take(MostServers).Select(a => new IPEndPoint(a, 53))];
            string[] search = lines.LastOrDefault(l => l is ["search" or "domain", ..])?[1..] ?? [];
            return _read = (file.LastWriteTimeUtc, servers, search);
        }
    }
}
