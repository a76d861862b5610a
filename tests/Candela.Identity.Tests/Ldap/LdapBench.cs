using System.Net;
using System.Net.Security;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Candela.Identity.Accounts;
using Candela.Identity.Authorization;
using Candela.Identity.Ldap;
using Candela.Identity.Tests.Tools;
using Candela.Tests.Shared;
using Microsoft.Extensions.DependencyInjection;

namespace Candela.Identity.Tests.Ldap;

/// <summary>An LDAP server on free ports of the loopback, with TLS and without, and Debian's ldap-utils as its clients.</summary>
public abstract class LdapBench : IAsyncLifetime
{
    public const string Password = "correct horse battery";

    protected TemporaryFolder Folder { get; } = new();

    protected IdentityFixture Identity { get; private set; } = null!;

    internal LdapServer Server => Identity.Get<LdapServer>();

    protected IPEndPoint PlainEndpoint => (IPEndPoint)Server.Endpoints[0];

    protected IPEndPoint TlsEndpoint => (IPEndPoint)Server.Endpoints[1];

    protected string PlainUrl => $"ldap://127.0.0.1:{PlainEndpoint.Port}";

    protected string TlsUrl => $"ldaps://127.0.0.1:{TlsEndpoint.Port}";

    protected static CancellationToken Token => TestContext.Current.CancellationToken;

    public virtual async ValueTask InitializeAsync()
    {
        var certificate = MakeCertificate();
        await File.WriteAllTextAsync(Folder.File("server.pem"), certificate.ExportCertificatePem(), Token);
        var context = SslStreamCertificateContext.Create(certificate, null, offline: true);
        var options = new LdapOptions
        {
            Endpoints = [new LdapEndpoint(new IPEndPoint(IPAddress.Loopback, 0), IsTls: false), new LdapEndpoint(new IPEndPoint(IPAddress.Loopback, 0), IsTls: true)],
            Certificate = () => context,
        };
        Identity = await IdentityFixture.StartAsync(more: services =>
        {
            services.AddLdap(options);
            AddServices(services);
        });
        Server.Start();
    }

    public virtual async ValueTask DisposeAsync()
    {
        await Identity.DisposeAsync();
        Folder.Dispose();
    }

    /// <summary>Adds what a test needs beside the server.</summary>
    protected virtual void AddServices(IServiceCollection services)
    {
    }

    /// <summary>A user of the system domain with <see cref="Password"/>.</summary>
    protected Task<User> AddUserAsync(string name, Func<User, User>? more = null)
    {
        var user = new User { DomainId = Identity.SystemId, Name = name };
        return Identity.Credentials.CreateAsync(more is null ? user : more(user), Password, mustChange: false, Token);
    }

    /// <summary>A user who may do everything.</summary>
    protected async Task<User> AddAdministratorAsync(string name)
    {
        var user = await AddUserAsync(name);
        await Identity.Get<IAccessPolicy>().BindAsync(
            new RoleBinding { Subject = Subject.Entry(user.Id), RoleId = BuiltInRoles.SystemAdmin.Id, Scope = ResourceScope.System }, Token);
        return user;
    }

    protected static string NameOf(string user) => $"uid={user},ou=people,dc=system";

    /// <summary>Runs one of the tools as a user (null: anonymous) on the plain port.</summary>
    protected Task<(int ExitCode, string Output)> TryAsync(string program, string? user, params string[] arguments) =>
        TryAtAsync(PlainUrl, program, user, arguments);

    protected Task<(int ExitCode, string Output)> TryAtAsync(string url, string program, string? user, params string[] arguments)
    {
        string[] bind = user is null ? ["-x"] : ["-x", "-D", NameOf(user), "-w", Password];
        return ToolAsync(program, url, [], [.. bind, .. arguments]);
    }

    /// <summary>Runs one of the tools.</summary>
    protected Task<(int ExitCode, string Output)> ToolAsync(string program, string url, (string Name, string Value)[] environment, params string[] arguments) =>
        Tool.TryRunAsync(program, Folder.Path, [("LDAPTLS_CACERT", Folder.File("server.pem")), .. environment], ["-H", url, .. arguments]);

    /// <summary>Runs one of the tools; fails unless it does what it is told.</summary>
    protected async Task<string> RunAsync(string program, string? user, params string[] arguments)
    {
        var (exitCode, output) = await TryAsync(program, user, arguments);
        Assert.True(exitCode == 0, $"{program} {string.Join(' ', arguments)}: exit code {exitCode}\n{output}");
        return output;
    }

    /// <summary>ldapsearch without comments and folding.</summary>
    protected Task<string> SearchAsync(string? user, params string[] arguments) => RunAsync("ldapsearch", user, ["-LLL", "-o", "ldif-wrap=no", .. arguments]);

    private static X509Certificate2 MakeCertificate()
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest("CN=localhost", key, HashAlgorithmName.SHA256);
        var names = new SubjectAlternativeNameBuilder();
        names.AddDnsName("localhost");
        names.AddIpAddress(IPAddress.Loopback);
        request.CertificateExtensions.Add(names.Build());
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(true, false, 0, true));
        return request.CreateSelfSigned(DateTimeOffset.UtcNow.AddDays(-1), DateTimeOffset.UtcNow.AddDays(1));
    }
}
