using System.Net;
using Candela.Identity.Accounts;
using Candela.Identity.Administration;
using Candela.Identity.Kerberos;
using Candela.Identity.Tests.Tools;
using Candela.Tests.Shared;
using Microsoft.Extensions.DependencyInjection;

namespace Candela.Identity.Tests.Kerberos;

/// <summary>A KDC on a free port of the loopback, and MIT Kerberos' clients.</summary>
public abstract class KerberosBench : IAsyncLifetime
{
    public const string Realm = "TEST.EXAMPLE";
    public const string Password = "correct horse battery";

    private const uint KdcUser = 1_600_000_000;
    private static readonly TimeSpan Deadline = TimeSpan.FromSeconds(60);

    // Not below TMPDIR, into which the KDC's user may not go.
    private readonly DirectoryInfo _run = Directory.CreateDirectory($"/tmp/ck-{Path.GetRandomFileName()[..8]}");

    protected IdentityFixture Identity { get; private set; } = null!;

    protected KerberosHost Host => Identity.Get<KerberosHost>();

    internal RecordedAudit Audit => (RecordedAudit)Identity.Get<IAuditSink>();

    protected static CancellationToken Token => TestContext.Current.CancellationToken;

    public virtual async ValueTask InitializeAsync()
    {
        Identity = await IdentityFixture.StartAsync(more: services =>
        {
            services.AddSingleton<IAuditSink, RecordedAudit>();
            services.AddKerberos(MakeOptions("first"));
            AddServices(services);
        });
        await Host.StartAsync(Token);
    }

    public virtual async ValueTask DisposeAsync()
    {
        await Host.DisposeAsync();
        await Identity.DisposeAsync();
        _run.Delete(recursive: true);
    }

    /// <summary>Adds what a test needs beside the KDC.</summary>
    protected virtual void AddServices(IServiceCollection services)
    {
    }

    /// <summary>Options of a controller's KDC.</summary>
    protected KerberosOptions MakeOptions(string name) => new()
    {
        Realm = Realm,
        Folder = Path.Combine(_run.CreateSubdirectory(name).FullName, "kdc"),
        Endpoints = [new IPEndPoint(IPAddress.Loopback, FreePort.Next())],
        HostNames = ["localhost"],
        UserId = Environment.UserName == "root" ? KdcUser : null,
    };

    /// <summary>A user of the system domain with <see cref="Password"/>.</summary>
    protected Task<User> AddUserAsync(string name, bool mustChange = false) =>
        Identity.Credentials.CreateAsync(new User { DomainId = Identity.SystemId, Name = name }, Password, mustChange, Token);

    protected string File(string name) => Path.Combine(_run.FullName, name);

    /// <summary>Runs a client; each test has a credential cache of its own.</summary>
    protected Task<(int ExitCode, string Output)> TryAsync(string program, string? input, params string[] arguments) =>
        TryAtAsync(Identity.Get<KerberosOptions>(), program, input, arguments);

    protected Task<(int ExitCode, string Output)> TryAtAsync(KerberosOptions options, string program, string? input, params string[] arguments) =>
        Tool.TryRunAsync(program, _run.FullName, Variables(options), arguments, input);

    protected (string, string)[] Variables(KerberosOptions options) => [("KRB5_CONFIG", options.ClientConfigurationPath), ("KRB5CCNAME", $"FILE:{File("cache")}")];

    protected async Task<string> RunAsync(string program, string? input, params string[] arguments)
    {
        var (exitCode, output) = await TryAsync(program, input, arguments);
        Assert.True(exitCode == 0, $"{program} {string.Join(' ', arguments)}: exit code {exitCode}\n{output}");
        return output;
    }

    /// <summary>Signs in until that comes out as it should: the KDC is told of changes a moment later.</summary>
    protected async Task<string> UntilAsync(string principal, string password, Func<int, string, bool> isRight, params string[] options)
    {
        var begun = System.Diagnostics.Stopwatch.StartNew();
        while (true)
        {
            var (exitCode, output) = await TryAsync("kinit", password + "\n", [.. options, principal]);
            if (isRight(exitCode, output))
                return output;
            Assert.True(begun.Elapsed < Deadline, $"kinit {principal}: exit code {exitCode}\n{output}");
            await Task.Delay(50, Token);
        }
    }

    protected Task<string> SignInAsync(string principal, string password = Password) => UntilAsync(principal, password, (exitCode, _) => exitCode == 0);
}
