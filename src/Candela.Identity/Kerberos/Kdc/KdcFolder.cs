using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using System.Text;
using Candela.Identity.Kerberos.Keys;
using Candela.Identity.Kerberos.Native;
using Candela.Model;

namespace Candela.Identity.Kerberos.Kdc;

/// <summary>Folder of a KDC: its configuration, master key and database, all made anew at each start. Programs run in it under a user of their own.</summary>
internal sealed class KdcFolder
{
    private const UnixFileMode OwnerOnly = UnixFileMode.UserRead | UnixFileMode.UserWrite;
    private const int LeastOrdinaryPort = 1024;

    /// <summary>AES only, and nothing that an eavesdropper could guess passwords by: SPAKE (RFC 9588) where the client can.</summary>
    private const string Libdefaults = """
        [libdefaults]
            default_realm = {0}
            permitted_enctypes = aes256-sha2 aes256-cts aes128-sha2 aes128-cts
            spake_preauth_groups = edwards25519
            dns_lookup_realm = false
            dns_lookup_kdc = false
            rdns = false

        """;

    private static readonly string[] Folders = ["/usr/sbin", "/usr/local/sbin"];

    private readonly KerberosOptions _options;

    public KdcFolder(KerberosOptions options) => _options = options;

    /// <summary>Makes the folder anew.</summary>
    public void Create(KerberosKey master)
    {
        if (Directory.Exists(_options.Folder))
            Directory.Delete(_options.Folder, recursive: true);
        Directory.CreateDirectory(_options.Folder, OwnerOnly | UnixFileMode.UserExecute);
        Give(_options.Folder);
        var libdefaults = Libdefaults.Replace("{0}", _options.Realm, StringComparison.Ordinal);
        Write("krb5.conf", Encoding.ASCII.GetBytes(libdefaults));
        var listen = string.Join(',', _options.Endpoints.Select(endpoint => endpoint.Address.Equals(IPAddress.IPv6Any) ? $"{endpoint.Port}" : endpoint.ToString()));
        Write("kdc.conf", Encoding.UTF8.GetBytes($$"""
            [kdcdefaults]
                kdc_listen = {{listen}}
                kdc_tcp_listen = {{listen}}
            [realms]
                {{_options.Realm}} = {
                    database_module = candela
                    key_stash_file = {{Path("stash")}}
                    max_life = {{(int)_options.TicketLifetime.TotalSeconds}}s
                    max_renewable_life = 0s
                }
            [dbmodules]
                candela = {
                    db_library = db2
                    database_name = {{Path("principal")}}
                    disable_last_success = true
                }
            [logging]
                kdc = STDERR

            """));
        Write("stash", Keytab.Write([new KeytabEntry(_options.Realm, ["K", "M"], 1, master)]));
        WriteAtomically(_options.ClientConfigurationPath, UnixFileMode.GroupRead | UnixFileMode.OtherRead, Encoding.UTF8.GetBytes($$"""
            # Kerberos clients of this Candela: export KRB5_CONFIG={{_options.ClientConfigurationPath}}, or take it over into /etc/krb5.conf.
            {{libdefaults}}
            [realms]
                {{_options.Realm}} = {
                    kdc = {{Reachable(_options.Endpoints[0])}}
                }

            """));
    }

    /// <summary>Loads a dump: all of the database, or what is in it besides the rest.</summary>
    /// <exception cref="CandelaException">Unavailable: kdb5_util does not.</exception>
    public async Task LoadAsync(byte[] dump, bool isUpdate, CancellationToken cancellationToken)
    {
        Write("dump", dump);
        try
        {
            var start = Command("kdb5_util", isUpdate ? ["-r", _options.Realm, "load", "-update", Path("dump")] : ["-r", _options.Realm, "load", Path("dump")]);
            using var process = Process.Start(start)!;
            var output = process.StandardError.ReadToEndAsync(cancellationToken);
            await process.WaitForExitAsync(cancellationToken);
            if (process.ExitCode != 0)
                throw new CandelaException(ErrorCode.Unavailable, $"kdb5_util does not load the KDC's database: {(await output).Trim()}");
        }
        finally
        {
            File.Delete(Path("dump"));
        }
    }

    /// <summary>How a program of the KDC is started: without rights, and ended with the thread that starts it.</summary>
    public ProcessStartInfo Command(string program, params string[] arguments)
    {
        var path = Folders.Select(folder => System.IO.Path.Combine(folder, program)).FirstOrDefault(File.Exists)
            ?? throw new CandelaException(ErrorCode.Unavailable, $"there is no program {program}: install the package krb5-kdc (apt-get install krb5-kdc)");
        var start = new ProcessStartInfo("setpriv") { RedirectStandardInput = true, RedirectStandardError = true, WorkingDirectory = _options.Folder };
        string[] privileges = ["--no-new-privs", "--pdeathsig", "KILL"];
        if (_options.UserId is { } user)
        {
            // The one right that is left: to listen on Kerberos' own port.
            var capabilities = _options.Endpoints.Any(endpoint => endpoint.Port < LeastOrdinaryPort) ? "-all,+net_bind_service" : "-all";
            privileges = [.. privileges, "--reuid", $"{user}", "--regid", $"{user}", "--clear-groups", "--bounding-set", capabilities, "--inh-caps", capabilities, "--ambient-caps", capabilities];
        }

        foreach (var argument in (string[])[.. privileges, "--", path, .. arguments])
            start.ArgumentList.Add(argument);
        start.Environment.Clear();
        start.Environment["PATH"] = "/usr/sbin:/usr/bin:/sbin:/bin";
        start.Environment["LC_ALL"] = "C";
        start.Environment["KRB5_CONFIG"] = Path("krb5.conf");
        start.Environment["KRB5_KDC_PROFILE"] = Path("kdc.conf");
        start.Environment["TMPDIR"] = _options.Folder;
        return start;
    }

    /// <summary>Writes a file so that whoever reads it sees all of it or the former one.</summary>
    public static void WriteAtomically(string path, UnixFileMode more, byte[] content)
    {
        var draft = path + ".new";
        File.Delete(draft);
        using (var file = new FileStream(draft, new FileStreamOptions { Mode = FileMode.CreateNew, Access = FileAccess.Write, UnixCreateMode = OwnerOnly }))
            file.Write(content);
        File.SetUnixFileMode(draft, OwnerOnly | more);
        File.Move(draft, path, overwrite: true);
    }

    /// <summary>Deletes the folder.</summary>
    public void Delete() => Directory.Delete(_options.Folder, recursive: true);

    private string Path(string name) => System.IO.Path.Combine(_options.Folder, name);

    private void Write(string name, byte[] content)
    {
        File.Delete(Path(name));
        using (var file = new FileStream(Path(name), new FileStreamOptions { Mode = FileMode.CreateNew, Access = FileAccess.Write, UnixCreateMode = OwnerOnly }))
            file.Write(content);
        Give(Path(name));
    }

    private void Give(string path)
    {
        if (_options.UserId is { } user)
            Ownership.Give(path, user);
    }

    /// <summary>An address under which clients of this host reach the KDC.</summary>
    private string Reachable(IPEndPoint endpoint) =>
        !endpoint.Address.Equals(IPAddress.Any) && !endpoint.Address.Equals(IPAddress.IPv6Any) ? endpoint.ToString()
        : _options.HostNames.Count > 0 ? $"{_options.HostNames[0]}:{endpoint.Port}"
        : new IPEndPoint(endpoint.AddressFamily == AddressFamily.InterNetwork ? IPAddress.Loopback : IPAddress.IPv6Loopback, endpoint.Port).ToString();
}
