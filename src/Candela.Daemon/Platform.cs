using System.Net;
using System.Net.Security;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using Candela.Controller;
using Candela.Controller.Access;
using Candela.Controller.Api;
using Candela.Guest.Protocol.Host;
using Candela.Identity;
using Candela.Identity.Accounts;
using Candela.Identity.Kerberos;
using Candela.Identity.Acme;
using Candela.Identity.Acme.Challenges;
using Candela.Identity.Administration;
using Candela.Identity.Authorization;
using Candela.Identity.Certificates;
using Candela.Identity.Certificates.Administration;
using Candela.Identity.Certificates.Names;
using Candela.Identity.Secrets;
using Candela.Identity.OpenIdConnect;
using Candela.Identity.Saml;
using Candela.Identity.SignIn;
using Candela.Images;
using Candela.Machine;
using Candela.Microvisor.Qemu;
using Candela.Model;
using Candela.Network;
using Candela.Storage;
using Candela.Network.Host;
using Candela.Os;
using Candela.State;
using Candela.State.Etcd;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace Candela.Daemon;

/// <summary>Everything below the front ends, made in the order of need and closed in reverse.</summary>
internal sealed partial class Platform(DaemonOptions options, ILoggerFactory loggers) : IPlatformStatus, IAsyncDisposable
{
    private readonly List<object> _parts = [];
    private readonly ILogger _logger = loggers.CreateLogger<Platform>();
    private readonly TaskCompletionSource _disowned = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private volatile ControllerHost? _controller;
    private volatile ServiceProvider? _services;
    private volatile FrontDoor? _frontDoor;
    private volatile DockerDoor? _dockerDoor;
    private volatile string? _preparing = "starting";
    private volatile string? _error;
    private volatile PeerDecisions? _peers;
    private volatile CertificateAdministration? _certificates;

    /// <summary>Version of Candela.</summary>
    public static string ProductVersion { get; } = typeof(Platform).Assembly.GetName().Version!.ToString(3);

    /// <inheritdoc/>
    public bool Ready => _preparing is null && _error is null;

    /// <inheritdoc/>
    public string? Preparing => _preparing;

    /// <inheritdoc/>
    public string? Error => _error;

    /// <inheritdoc/>
    public string Version => ProductVersion;

    /// <inheritdoc/>
    public int Pid => Environment.ProcessId;

    /// <inheritdoc/>
    public DateTimeOffset StartedAt { get; } = DateTimeOffset.UtcNow;

    /// <inheritdoc/>
    public int ContainerCount => _controller?.ContainerCount ?? 0;

    /// <inheritdoc/>
    public int RunningCount => _controller?.RunningCount ?? 0;

    /// <summary>Completes when the records have become another daemon's.</summary>
    public Task Disowned => _disowned.Task;

    /// <summary>What the HTTPS front door serves; null: there is none, or not yet.</summary>
    public FrontDoor? FrontDoor => _frontDoor;

    /// <summary>What serves Docker by TLS; null: nothing, or not yet.</summary>
    public DockerDoor? DockerDoor => _dockerDoor;

    /// <summary>Who may talk to whom.</summary>
    /// <exception cref="CandelaException">Unavailable: it is not known yet.</exception>
    public PeerDecisions Peers => _peers ?? throw NotReady();

    /// <summary>Certificates.</summary>
    /// <exception cref="CandelaException">Unavailable: there are none yet.</exception>
    public CertificateAdministration Certificates => _certificates ?? throw NotReady();

    /// <summary>A service of the Controller.</summary>
    /// <exception cref="CandelaException">Unavailable: it is not there yet.</exception>
    public T Service<T>()
        where T : notnull =>
        (_services ?? throw NotReady()).GetRequiredService<T>();

    /// <summary>A service that not every daemon has.</summary>
    /// <exception cref="CandelaException">Unavailable: it is not there yet; NotSupported: it will not be there.</exception>
    public T Service<T>(string otherwise)
        where T : notnull =>
        (_services ?? throw new CandelaException(ErrorCode.Unavailable, "candelad is getting ready: try again in a moment")).GetService<T>() ?? throw new CandelaException(ErrorCode.NotSupported, otherwise);

    /// <summary>Every front end is there.</summary>
    public void Open()
    {
        _preparing = null;
        Log.Ready(_logger, (DateTimeOffset.UtcNow - StartedAt).TotalSeconds);
    }

    /// <summary>Makes all parts; <see cref="Open"/> follows. A failure is kept in <see cref="Error"/> and thrown.</summary>
    public async Task PrepareAsync(CancellationToken cancellationToken)
    {
        try
        {
            await PrepareAllAsync(cancellationToken);
        }
        catch (Exception e) when (!cancellationToken.IsCancellationRequested)
        {
            _error = e.Message;
            Log.Failed(_logger, e);
            throw;
        }
    }

    /// <summary>Lets go of everything; containers go on.</summary>
    public async ValueTask DisposeAsync()
    {
        for (int i = _parts.Count - 1; i >= 0; i--)
        {
            if (_parts[i] is IAsyncDisposable part)
                await part.DisposeAsync();
            else
                ((IDisposable)_parts[i]).Dispose();
        }

        _parts.Clear();
    }

    private static CandelaException NotReady() => new(ErrorCode.Unavailable, "candelad is getting ready: try again in a moment");

    private async Task PrepareAllAsync(CancellationToken cancellationToken)
    {
        string state = options.StateFolder;
        // Images, disks, logs and environments of all containers: nobody else's business, whoever made the folder.
        Directory.CreateDirectory(state);
        File.SetUnixFileMode(state, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        Add(RunFolderOwner.Claim(options.RunFolder, state));

        _preparing = "preparing the guest system";
        var progress = new Progress(text => _preparing = text);
        var guestOptions = new GuestBuilderOptions { CacheFolder = Path.Combine(state, "guest"), AgentPath = Sibling("candela-guest") };
        GuestImage guest = await new GuestBuilder(guestOptions, loggers.CreateLogger<GuestBuilder>()).BuildAsync(progress, cancellationToken);

        _preparing = "opening the image store";
        ImageStore images = Add(new ImageStore(
            new ImageStoreOptions { Folder = Path.Combine(state, "images"), InsecureRegistries = options.InsecureRegistries },
            loggers.CreateLogger<ImageStore>()));
        Image builtIn = await BuiltInImage.EnsureAsync(images, cancellationToken);

        MachineNetwork? network = OpenNetwork(out string? networkLack);

        _preparing = "choosing the accelerator";
        QemuMicrovisor microvisor = await QemuMicrovisor.OpenAsync(
            new QemuOptions
            {
                ParentsFolder = Path.Combine(state, "parents"),
                RunFolder = Path.Combine(options.RunFolder, "vm"),
                JailerPath = Sibling("candela-jailer"),
                GuestVersion = guest.Version,
                KernelPath = guest.KernelPath,
                InitramfsPath = guest.InitramfsPath,
                AgentReady = GreetAsync,
                Taps = network is null ? null : new NetworkTaps(network),
                WaitingCount = options.WaitingCount,
            },
            loggers.CreateLogger<QemuMicrovisor>(),
            cancellationToken);
        var volumes = new VolumeDisks(Path.Combine(state, "volumes"));
        LocalMachine machine = Add(new LocalMachine(
            new MachineOptions
            {
                StateFolder = state,
                DefaultMemoryBytes = (long)options.MemoryMebibytes << 20,
                ScratchBytes = (long)options.ScratchGibibytes << 30,
            },
            microvisor,
            images,
            volumes,
            async (stream, events, mayBeTorn, token) => await AgentConnection.ConnectAsync(stream, events, mayBeTorn, token),
            TimeProvider.System,
            loggers.CreateLogger<LocalMachine>(),
            network,
            networkLack));

        _preparing = "finding containers";
        IServiceCollection services = new ServiceCollection();
        services.AddSingleton(loggers);
        services.AddSingleton(typeof(ILogger<>), typeof(Logger<>));
        services.AddSingleton<IMachine>(machine);
        services.AddSingleton<IImageStore>(images);
        services.AddSingleton<IVolumeDisks>(volumes);
        if (options.Store is not null)
            services.AddSingleton(await OpenStoreAsync(options.Store, cancellationToken));
        services.AddController(new ControllerOptions
        {
            StateFolder = state,
            RunFolder = options.RunFolder,
            ImageFolder = Path.Combine(state, "images"),
            GuestVersion = guest.Version,
            GuestKernel = guest.KernelRelease,
        });
        services.AddIdentity(new IdentityOptions { Folder = Path.Combine(state, "identity") });
        if (options.Https is not null)
        {
            services.AddSignIn(new SignInOptions { PublicUrl = options.PublicUrl });
            services.AddOpenIdConnect(new OpenIdOptions());
            services.AddSaml(new SamlOptions { BaseUrl = options.PublicUrl });
        }

        KerberosOptions? kerberos = KerberosFrontEnd.OptionsOf(options);
        if (kerberos is not null)
            services.AddKerberos(kerberos);
        LdapFrontEnd? ldap = LdapFrontEnd.IsWanted(options) ? Add(new LdapFrontEnd(options)) : null;
        ldap?.AddTo(services);
        ServiceProvider provider = Add(services.BuildServiceProvider());
        await provider.GetRequiredService<IdentityHost>().StartAsync(cancellationToken);
        await provider.GetRequiredService<IDirectory>().EnsureTenantDomainAsync(ControllerHost.DefaultTenant, cancellationToken);
        await provider.GetRequiredService<IdentityHost>().EnsureLocalAccountAsync(ControllerHost.DefaultTenant, ControllerHost.DefaultProject, cancellationToken);
        TrustHost trust = Add(await OpenTrustAsync(provider, cancellationToken));
        ServerCertificate certificate = Add(await ServerCertificate.OpenAsync(
            trust.Authority, $"controller:{Environment.MachineName}", Names(), TimeProvider.System, loggers.CreateLogger<ServerCertificate>(), cancellationToken));
        if (kerberos is not null)
            Add(await KerberosFrontEnd.StartAsync(provider, cancellationToken));
        ldap?.Start(provider, trust.Authority, certificate);
        if (provider.GetService<SamlHost>() is { } saml)
            await saml.StartAsync(cancellationToken);
        if (provider.GetService<OpenIdProvider>() is { } openId)
            await openId.StartAsync(trust, cancellationToken);
        if (options.Https is not null)
            _frontDoor = new FrontDoor(provider, trust, options is { HttpsCertificate: { } path, HttpsKey: { } key } ? Read(path, key) : () => certificate.Current, options.PublicUrl);
        if (options.DockerTls is not null)
            _dockerDoor = new DockerDoor(provider, trust, certificate);
        WorkloadEndpoint workloads = Add(await WorkloadEndpoint.StartAsync(
            trust, provider.GetRequiredService<IAuditSink>(), logging => DaemonHost.Configure(logging, options), added => DaemonHost.AddServices(added, this), cancellationToken));
        ControllerHost controller = Add(provider.GetRequiredService<ControllerHost>());
        controller.UseIdentities(trust.Domain, workloads.Connections, workloads.PlainConnections);
        _certificates = new CertificateAdministration(trust, provider.GetRequiredService<AccessGuard>());
        _peers = controller.CreatePeerDecisions(trust.Domain, provider.GetRequiredService<IAuthorizer>(), provider.GetRequiredService<AccessGuard>(), provider.GetRequiredService<IAuditSink>());
        await controller.StartAsync(cancellationToken);
        _controller = controller;
        _services = provider;

        _preparing = "booting the parent VM";
        BlockImageLease rehearsed = Add(await images.OpenBlockImageAsync(builtIn.Id, cancellationToken));
        microvisor.Rehearsal = new Rehearsal(rehearsed.Path, machine.ScratchTemplate, machine.RehearseAsync);
        Task parent = machine.EnsureDefaultParentAsync(cancellationToken);
        // Who has containers here wants to reach them now, and a start in the meantime waits by itself.
        if (controller.ContainerCount > 0)
            _ = ReportAsync(parent, cancellationToken);
        else
            await parent;
    }

    /// <summary>Networks, if the kernel and the rights are there. Instances with another run folder show differently on the host.</summary>
    private MachineNetwork? OpenNetwork(out string? lack)
    {
        lack = null;
        string instance = options.RunFolder == DaemonOptions.DefaultRunFolder ? "" : Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(options.RunFolder)).AsSpan(0, 2));
        try
        {
            return Add(MachineNetwork.Open(new NetworkOptions
            {
                RunFolder = options.RunFolder,
                StateFolder = Path.Combine(options.StateFolder, "network"),
                HostOptions = new HostOptions { Table = "candela" + instance, LinkPrefix = $"cnd{instance}-" },
            }));
        }
        catch (CandelaException e) when (e.Code == ErrorCode.NotSupported)
        {
            lack = e.Message;
            Log.NoNetwork(_logger, lack);
            return null;
        }
    }

    private async Task<IStateStore> OpenStoreAsync(EtcdAddress address, CancellationToken cancellationToken)
    {
        _preparing = $"finding etcd at {address}";
        EtcdStateStore store = Add(await EtcdStateStore.OpenAsync(address, cancellationToken));
        _preparing = $"taking the records at {address}";
        EtcdOwnership ownership = Add(await EtcdOwnership.TakeAsync(store, $"{Environment.MachineName}:{options.StateFolder}", cancellationToken));
        _ = WatchAsync(ownership);
        return store;

        async Task WatchAsync(EtcdOwnership owned)
        {
            string owner = await owned.Lost;
            Log.Disowned(_logger, owner);
            _disowned.SetResult();
        }
    }

    private async Task<TrustHost> OpenTrustAsync(ServiceProvider provider, CancellationToken cancellationToken)
    {
        var trust = await TrustHost.OpenAsync(
            provider.GetRequiredService<IStateStore>(),
            provider.GetRequiredService<ISecretBox>(),
            provider.GetRequiredService<IDirectory>(),
            new SystemAcmeResolver(),
            new TrustOptions { Acme = options.Https is null ? null : new AcmeOptions { BaseUrl = new Uri(options.PublicUrl, "acme") } },
            TimeProvider.System,
            loggers,
            cancellationToken);
        // For clients to trust: they are no secret.
        await File.WriteAllTextAsync(
            Path.Combine(options.RunFolder, "roots.pem"),
            string.Concat(trust.Authority.Roots.Select(root => PemEncoding.WriteString("CERTIFICATE", root.Span) + "\n")), cancellationToken);
        return trust;
    }

    /// <summary>What clients may call this host. Always its own name, too: libldap means that when it is told localhost.</summary>
    private CertificateNames Names()
    {
        string[] names = [.. options.HostNames, options.PublicUrl.Host.Trim('[', ']'), Environment.MachineName.ToLowerInvariant(), "localhost"];
        var addresses = names.Select(name => IPAddress.TryParse(name, out var address) ? address : null).OfType<IPAddress>();
        return new CertificateNames
        {
            Dns = [.. names.Where(name => Uri.CheckHostName(name) == UriHostNameType.Dns).Distinct()],
            Addresses = [.. addresses.Concat([IPAddress.Loopback, IPAddress.IPv6Loopback]).Distinct()],
        };
    }

    /// <summary>A certificate and its chain from files.</summary>
    /// <exception cref="CandelaException">InvalidArgument: they are none, or do not belong together.</exception>
    private static Func<SslStreamCertificateContext> Read(string certificatePath, string keyPath)
    {
        try
        {
            X509Certificate2Collection all = [];
            all.ImportFromPemFile(certificatePath);
            var context = SslStreamCertificateContext.Create(X509Certificate2.CreateFromPemFile(certificatePath, keyPath), [.. all.Skip(1)], offline: true);
            return () => context;
        }
        catch (CryptographicException e)
        {
            throw new CandelaException(ErrorCode.InvalidArgument, $"{certificatePath} and {keyPath} are not a certificate and its key in PEM: {e.Message}", e);
        }
    }

    private async Task ReportAsync(Task parent, CancellationToken cancellationToken)
    {
        try
        {
            await parent;
        }
        catch (Exception e)
        {
            if (!cancellationToken.IsCancellationRequested)
                Log.NoParent(_logger, e);
        }
    }

    private static async Task GreetAsync(Stream stream, CancellationToken cancellationToken)
    {
        await using AgentConnection agent = await AgentConnection.ConnectAsync(
            stream, NoEvents.Instance, mayBeTorn: false, Timeout.InfiniteTimeSpan, TimeProvider.System, cancellationToken);
    }

    /// <summary>A program that is installed beside this one.</summary>
    private static string Sibling(string name) => Path.Combine(Path.GetDirectoryName(Environment.ProcessPath!)!, name);

    private T Add<T>(T part)
        where T : class
    {
        _parts.Add(part);
        return part;
    }

    /// <summary>A parent's guest has no processes to tell of.</summary>
    private sealed class NoEvents : IAgentEvents
    {
        public static readonly NoEvents Instance = new();

        public ValueTask OnOutputAsync(uint process, OutputStream stream, ulong position, ReadOnlyMemory<byte> data) => ValueTask.CompletedTask;

        public ValueTask OnExitAsync(uint process, ProcessExit exit) => ValueTask.CompletedTask;
    }

    /// <summary>Reports at once, on the reporting thread.</summary>
    private sealed class Progress(Action<string> report) : IProgress<string>
    {
        public void Report(string value) => report(value);
    }

    private static partial class Log
    {
        [LoggerMessage(Level = LogLevel.Information, Message = "ready after {Seconds:0.0} s")]
        public static partial void Ready(ILogger logger, double seconds);

        [LoggerMessage(Level = LogLevel.Error, Message = "the parent VM of containers without limits could not be made; the next start tries again")]
        public static partial void NoParent(ILogger logger, Exception exception);

        [LoggerMessage(Level = LogLevel.Warning, Message = "no networks: {Reason}")]
        public static partial void NoNetwork(ILogger logger, string reason);

        [LoggerMessage(Level = LogLevel.Critical, Message = "the records have become those of {Owner}: this daemon ends, its containers go on")]
        public static partial void Disowned(ILogger logger, string owner);

        [LoggerMessage(Level = LogLevel.Critical, Message = "cannot get ready")]
        public static partial void Failed(ILogger logger, Exception exception);
    }
}
