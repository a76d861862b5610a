using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Candela.Identity.Tests.Tools;
using Candela.Tests.Shared;

namespace Candela.Identity.Tests.Federation;

/// <summary>Debian's slapd with a few people, on free ports of 127.0.0.1: LDAPS, and LDAP that must begin TLS.</summary>
internal sealed class Slapd : IAsyncDisposable
{
    public const string BaseName = "dc=corp,dc=example";
    public const string Administrator = "cn=admin," + BaseName;
    public const string AdministratorPassword = "the administrator's password";

    private static readonly TimeSpan Deadline = TimeSpan.FromSeconds(60);

    private readonly TemporaryFolder _folder;
    private readonly Process _process;

    private Slapd(TemporaryFolder folder, Process process, int port, int tlsPort, byte[] authority) => (_folder, _process, Port, TlsPort, Authority) = (folder, process, port, tlsPort, authority);

    /// <summary>Where its files are.</summary>
    public string Folder => _folder.Path;

    public int Port { get; }

    public int TlsPort { get; }

    /// <summary>Its own certificate (DER).</summary>
    public byte[] Authority { get; }

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    public static async Task<Slapd> StartAsync()
    {
        Assert.True(File.Exists("/usr/sbin/slapd"), "slapd is missing: run eng/setup test");
        var folder = new TemporaryFolder();
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest("CN=localhost", key, HashAlgorithmName.SHA256);
        var names = new SubjectAlternativeNameBuilder();
        names.AddDnsName("localhost");
        request.CertificateExtensions.Add(names.Build());
        using var certificate = request.CreateSelfSigned(DateTimeOffset.UtcNow.AddDays(-1), DateTimeOffset.UtcNow.AddDays(30));
        await File.WriteAllTextAsync(folder.File("cert.pem"), certificate.ExportCertificatePem(), Token);
        await File.WriteAllTextAsync(folder.File("key.pem"), key.ExportPkcs8PrivateKeyPem(), Token);
        Directory.CreateDirectory(folder.File("db"));
        await File.WriteAllTextAsync(folder.File("slapd.conf"), $"""
            include /etc/ldap/schema/core.schema
            include /etc/ldap/schema/cosine.schema
            include /etc/ldap/schema/inetorgperson.schema
            modulepath /usr/lib/ldap
            moduleload back_mdb
            pidfile {folder.File("slapd.pid")}
            TLSCertificateFile {folder.File("cert.pem")}
            TLSCertificateKeyFile {folder.File("key.pem")}
            security simple_bind=64
            database mdb
            suffix "{BaseName}"
            rootdn "{Administrator}"
            rootpw "{AdministratorPassword}"
            directory {folder.File("db")}
            access to attrs=userPassword by anonymous auth by * none
            access to * by users read by anonymous auth
            """ + "\n", Token);
        await File.WriteAllTextAsync(folder.File("people.ldif"), $"""
            dn: {BaseName}
            objectClass: domain
            dc: corp

            dn: ou=people,{BaseName}
            objectClass: organizationalUnit
            ou: people

            dn: uid=ada,ou=people,{BaseName}
            objectClass: inetOrgPerson
            uid: ada
            cn: Ada Lovelace
            givenName: Ada
            sn: Lovelace
            mail: ada@corp.example
            userPassword: ada's own password

            dn: uid=bob,ou=people,{BaseName}
            objectClass: inetOrgPerson
            uid: bob
            cn: Bob
            sn: B
            userPassword: bob's own password

            dn: cn=Crew\, all,ou=people,{BaseName}
            objectClass: groupOfNames
            cn: Crew, all
            member: uid=ada,ou=people,{BaseName}
            """ + "\n", Token);
        await Tool.RunAsync("slapadd", folder.Path, "-f", folder.File("slapd.conf"), "-l", folder.File("people.ldif"));
        var (port, tlsPort) = (BrowserBench.FreePort(), BrowserBench.FreePort());
        var process = Process.Start(new ProcessStartInfo("/usr/sbin/slapd", ["-f", folder.File("slapd.conf"), "-h", $"ldap://127.0.0.1:{port} ldaps://127.0.0.1:{tlsPort}", "-d", "0"]))!;
        var slapd = new Slapd(folder, process, port, tlsPort, certificate.RawData);
        using var ending = CancellationTokenSource.CreateLinkedTokenSource(Token);
        ending.CancelAfter(Deadline);
        while (true)
        {
            using var socket = new Socket(SocketType.Stream, ProtocolType.Tcp);
            try
            {
                await socket.ConnectAsync(IPAddress.Loopback, tlsPort, ending.Token);
                return slapd;
            }
            catch (SocketException) when (!process.HasExited)
            {
                await Task.Delay(20, ending.Token);
            }
        }
    }

    /// <summary>Changes something, as the administrator. libldap takes localhost for this host's name: the certificate is left alone.</summary>
    public async Task ModifyAsync(string ldif)
    {
        var file = _folder.File("change.ldif");
        await File.WriteAllTextAsync(file, ldif + "\n", Token);
        var password = _folder.File("password");
        await File.WriteAllTextAsync(password, AdministratorPassword, Token);
        await Tool.RunAsync("env", _folder.Path, "LDAPTLS_REQCERT=never", "ldapmodify", "-H", $"ldaps://localhost:{TlsPort}", "-x", "-D", Administrator, "-y", password, "-f", file);
    }

    public async ValueTask DisposeAsync()
    {
        if (!_process.HasExited)
            _process.Kill();
        await _process.WaitForExitAsync(CancellationToken.None);
        _process.Dispose();
        _folder.Dispose();
    }
}
