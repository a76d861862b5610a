using System.Globalization;
using System.Net;
using System.Net.Sockets;
using Candela.Identity.Kerberos;
using Candela.State.Etcd;
using Microsoft.Extensions.Logging;

namespace Candela.Daemon;

/// <summary>The daemon's command line.</summary>
internal sealed record DaemonOptions
{
    /// <summary>What <c>--help</c> prints.</summary>
    public const string Help = """
        candelad - runs containers as micro-VMs cloned from running parents

        usage: candelad [OPTION VALUE]...

          --state DIR               images, containers, parents, guest      (default /var/lib/candela)
          --store etcd://HOST[:PORT][,…][/PREFIX][?ca=FILE&cert=FILE&key=FILE]
                                    records on an etcd cluster              (default: a SQLite file in the state folder)
          --run DIR                 sockets and pid file                    (default /run/candela)
          --memory MIB              memory of a container without a limit   (default 512)
          --scratch-size GIB        writable disk of a container            (default 10)
          --waiting COUNT           VMM processes that wait for a claim     (default 4)
          --default-network NAME    bridge or none, for containers that name none (default bridge, where the host has what it needs)
          --insecure-registry HOST  a registry that may be reached without trusted TLS; repeatable
          --ldap ADDRESS:PORT       LDAP with StartTLS; a port alone: all addresses  (default none)
          --ldaps ADDRESS:PORT      LDAP over TLS                           (default none)
          --kerberos REALM          Kerberos KDC of a realm, such as EXAMPLE.ORG (default none)
          --kdc ADDRESS:PORT        where the KDC listens, UDP and TCP      (default 88)
          --host-name NAME          name or address by which clients reach this host, for certificates; repeatable
          --https ADDRESS:PORT      identity by HTTPS: sign-in, certificates, ACME  (default none)
          --docker-tls ADDRESS:PORT Docker by TCP, with client certificates of Candela; usual: 2376  (default none)
          --public-url URL          how browsers and clients reach that     (default https://HOST-NAME:PORT)
          --https-certificate FILE  its certificate and chain, PEM          (default: Candela issues one)
          --https-key FILE          the key of that, PEM
          --group NAME              group that may use the sockets          (default candela)
          --log-level LEVEL         trace, debug, information, warning or error (default information)
          --help, --version

        candelad store-copy FROM TO copies all records between stores that no daemon uses: etcd://… or the path of a SQLite file.

        Signals: SIGTERM and SIGINT end the daemon; containers go on and the next daemon finds them.
        Exit codes: 0 ended by a signal, 1 could not start, 2 wrong usage.
        """;

    /// <summary>The run folder that is used when none is stated.</summary>
    public const string DefaultRunFolder = "/run/candela";

    private Uri? _publicUrl;

    /// <summary>State folder, absolute.</summary>
    public string StateFolder { get; private init; } = "/var/lib/candela";

    /// <summary>The etcd cluster with the records; null: they are in <see cref="StateFolder"/>.</summary>
    public EtcdAddress? Store { get; private init; }

    /// <summary>Run folder, absolute.</summary>
    public string RunFolder { get; private init; } = DefaultRunFolder;

    /// <summary>Network of containers that name none: <c>none</c> or <c>bridge</c>; null: bridge, if there can be networks.</summary>
    public string? DefaultNetwork { get; private init; }

    /// <summary>Memory of a container without a limit, MiB.</summary>
    public int MemoryMebibytes { get; private init; } = 512;

    /// <summary>Size of a scratch disk, GiB.</summary>
    public int ScratchGibibytes { get; private init; } = 10;

    /// <summary>Waiting VMMs of a parent.</summary>
    public int WaitingCount { get; private init; } = 4;

    /// <summary>Registries without trusted TLS.</summary>
    public IReadOnlyList<string> InsecureRegistries { get; private init; } = [];

    /// <summary>Where the HTTPS front door listens; null: there is none.</summary>
    public IPEndPoint? Https { get; private init; }

    /// <summary>Where the Docker endpoint listens by TCP and TLS; null: nowhere.</summary>
    public IPEndPoint? DockerTls { get; private init; }

    /// <summary>How others reach the front door.</summary>
    public Uri PublicUrl => _publicUrl ?? new Uri($"https://{PublicHost}:{Https?.Port}");

    /// <summary>Certificate and chain of the front door, PEM; null: Candela issues one.</summary>
    public string? HttpsCertificate { get; private init; }

    /// <summary>Private key of that, PEM.</summary>
    public string? HttpsKey { get; private init; }

    /// <summary>Group of the sockets.</summary>
    public string Group { get; private init; } = "candela";

    /// <summary>Where LDAP is spoken; null: nowhere.</summary>
    public IPEndPoint? Ldap { get; private init; }

    /// <summary>Where LDAP is spoken over TLS; null: nowhere.</summary>
    public IPEndPoint? Ldaps { get; private init; }

    /// <summary>Kerberos realm; null: no Kerberos.</summary>
    public string? KerberosRealm { get; private init; }

    /// <summary>Where the KDC listens.</summary>
    public IPEndPoint Kdc { get; private init; } = new(IPAddress.IPv6Any, 88);

    /// <summary>Names and addresses by which clients reach this host, beside what it calls itself.</summary>
    public IReadOnlyList<string> HostNames { get; private init; } = [];

    /// <summary>Least level that is logged.</summary>
    public LogLevel LogLevel { get; private init; } = LogLevel.Information;

    /// <summary>Reads the command line.</summary>
    /// <exception cref="ArgumentException">What is wrong with it.</exception>
    public static DaemonOptions Parse(IReadOnlyList<string> arguments)
    {
        var options = new DaemonOptions();
        for (int i = 0; i < arguments.Count; i++)
        {
            string[] parts = arguments[i].Split('=', 2);
            string name = parts[0];
            string Value() => parts.Length == 2 ? parts[1] : ++i < arguments.Count ? arguments[i] : throw new ArgumentException($"{name} needs a value");
            options = name switch
            {
                "--state" => options with { StateFolder = Path.GetFullPath(Value()) },
                "--store" => options with { Store = Etcd(Value()) },
                "--run" => options with { RunFolder = Path.GetFullPath(Value()) },
                "--memory" => options with { MemoryMebibytes = Number(name, Value(), 64, 1 << 20) },
                "--scratch-size" => options with { ScratchGibibytes = Number(name, Value(), 1, 1000) },
                "--waiting" => options with { WaitingCount = Number(name, Value(), 1, 64) },
                "--default-network" => options with { DefaultNetwork = Value() is var network and ("none" or "bridge") ? network : throw new ArgumentException("--default-network is bridge or none") },
                "--insecure-registry" => options with { InsecureRegistries = [.. options.InsecureRegistries, Value()] },
                "--ldap" => options with { Ldap = Endpoint(name, Value()) },
                "--ldaps" => options with { Ldaps = Endpoint(name, Value()) },
                "--kerberos" => options with { KerberosRealm = Realm(name, Value()) },
                "--kdc" => options with { Kdc = Endpoint(name, Value()) },
                "--host-name" => options with { HostNames = [.. options.HostNames, Host(name, Value())] },
                "--https" => options with { Https = Endpoint(name, Value()) },
                "--docker-tls" => options with { DockerTls = Endpoint(name, Value()) },
                "--public-url" => options with { _publicUrl = PublicAddress(Value()) },
                "--https-certificate" => options with { HttpsCertificate = Path.GetFullPath(Value()) },
                "--https-key" => options with { HttpsKey = Path.GetFullPath(Value()) },
                "--group" => options with { Group = Value() },
                "--log-level" => options with { LogLevel = Level(Value()) },
                _ => throw new ArgumentException($"no such option: {name}"),
            };
        }

        if ((options.HttpsCertificate is null) != (options.HttpsKey is null))
            throw new ArgumentException("--https-certificate and --https-key go together");
        if (options.Https is null && (options._publicUrl ?? (object?)options.HttpsKey) is not null)
            throw new ArgumentException("--public-url, --https-certificate and --https-key are of use with --https only");
        return options;
    }

    private string PublicHost => HostNames is [var first, ..] ? IPAddress.TryParse(first, out var address) && address.AddressFamily == AddressFamily.InterNetworkV6 ? $"[{first}]" : first
        : Environment.MachineName.ToLowerInvariant();

    private static Uri PublicAddress(string text) =>
        Uri.TryCreate(text, UriKind.Absolute, out var url) && url is { Scheme: "https", PathAndQuery: "/", Fragment: "", UserInfo: "" }
            ? url
            : throw new ArgumentException($"--public-url wants an address like https://candela.example:8443, without a path, not '{text}'");

    private static EtcdAddress Etcd(string text)
    {
        try
        {
            return EtcdAddress.Parse(text);
        }
        catch (FormatException e)
        {
            throw new ArgumentException($"--store: {e.Message}", e);
        }
    }

    private static IPEndPoint Endpoint(string name, string text) =>
        ushort.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var port) ? new IPEndPoint(IPAddress.IPv6Any, port)
        : IPEndPoint.TryParse(text, out var endpoint) && endpoint.Port != 0 ? endpoint
        : throw new ArgumentException($"{name} wants ADDRESS:PORT or a port, such as 127.0.0.1:389, [::1]:636 or 389, not '{text}'");

    private static string Host(string name, string text) =>
        Uri.CheckHostName(text) is UriHostNameType.Dns or UriHostNameType.IPv4 or UriHostNameType.IPv6
            ? text.ToLowerInvariant()
            : throw new ArgumentException($"{name} wants a name or an address, such as ldap.example.org, not '{text}'");

    private static string Realm(string name, string text) =>
        KerberosOptions.IsRealm(text) ? text : throw new ArgumentException($"{name} wants a realm, which is like a domain name in upper case, such as EXAMPLE.ORG, not '{text}'");

    private static int Number(string name, string text, int minimum, int maximum) =>
        int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out int value) && value >= minimum && value <= maximum
            ? value
            : throw new ArgumentException($"{name} wants a number from {minimum} to {maximum}, not '{text}'");

    private static LogLevel Level(string text) =>
        Enum.TryParse(text, ignoreCase: true, out LogLevel level) && Enum.IsDefined(level) && !char.IsAsciiDigit(text[0]) ? level : throw new ArgumentException($"no such log level: {text}");
}
