using System.Collections.Concurrent;
using Candela.Identity.Accounts;
using Candela.Identity.Administration;
using Candela.Identity.SignIn;
using Candela.Identity.Tests.Tools;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;

namespace Candela.Identity.Tests.SignIn;

/// <summary>Identity's pages on a server of their own.</summary>
public sealed class SignInBench : IAuditSink, IAsyncDisposable
{
    public const string Password = "correct horse battery staple";

    private readonly ConcurrentQueue<AuditRecord> _records = [];
    private WebBench _web = null!;

    public IdentityFixture Identity { get; private set; } = null!;

    public Uri Address => _web.Address;

    public IReadOnlyList<AuditRecord> Audited => [.. _records];

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    public static async Task<SignInBench> StartAsync(Action<IServiceCollection>? more = null, Action<IEndpointRouteBuilder, IdentityFixture>? map = null)
    {
        var bench = new SignInBench();
        bench.Identity = await IdentityFixture.StartAsync(more: services =>
        {
            services.AddSingleton<IAuditSink>(bench).AddSignIn(new SignInOptions { PublicUrl = new Uri("https://candela.example") });
            more?.Invoke(services);
        });
        bench._web = await WebBench.StartAsync(_ => { }, application =>
        {
            application.MapSignIn(bench.Identity.Get<IServiceProvider>());
            map?.Invoke(application, bench.Identity);
        });
        return bench;
    }

    public Browser Open(string? cookie = null) => new(Address, cookie);

    public Task<User> AddUserAsync(string name, bool mustChange = false) =>
        Identity.Credentials.CreateAsync(new User { DomainId = Identity.SystemId, Name = name }, Password, mustChange, Token);

    void IAuditSink.Record(AuditRecord record) => _records.Enqueue(record);

    public async ValueTask DisposeAsync()
    {
        await _web.DisposeAsync();
        await Identity.DisposeAsync();
    }
}
