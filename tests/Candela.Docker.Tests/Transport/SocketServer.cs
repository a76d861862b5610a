using Candela.Controller.Transport;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace Candela.Docker.Tests.Transport;

/// <summary>A web application on a Unix socket in a folder of its own.</summary>
internal sealed class SocketServer : IAsyncDisposable
{
    private readonly WebApplication _application;

    private SocketServer(WebApplication application, string folder) => (_application, Folder) = (application, folder);

    public string Folder { get; }

    public string SocketPath => Path.Combine(Folder, "t.sock");

    public IServiceProvider Services => _application.Services;

    public static async Task<SocketServer> StartAsync(Action<WebApplication> map, Action<IServiceCollection>? services = null, string? folder = null)
    {
        folder ??= Directory.CreateTempSubdirectory("cdk").FullName;
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.Services.AddSingleton<ILoggerProvider, FailureLog>();
        builder.WebHost.ConfigureKestrel(kestrel => kestrel.ListenUnixSocket(Path.Combine(folder, "t.sock")));
        builder.Services.AddRouting();
        builder.Services.AddHalfOpenUnixSockets();
        services?.Invoke(builder.Services);
        var application = builder.Build();
        map(application);
        await application.StartAsync();
        return new SocketServer(application, folder);
    }

    public async ValueTask DisposeAsync()
    {
        await _application.DisposeAsync();
        if (Directory.Exists(Folder))
            Directory.Delete(Folder, recursive: true);
    }
}

/// <summary>Shows what goes wrong inside the server on the test's standard error.</summary>
internal sealed class FailureLog : ILoggerProvider, ILogger
{
    public ILogger CreateLogger(string categoryName) => this;

    public IDisposable? BeginScope<TState>(TState state)
        where TState : notnull => null;

    public bool IsEnabled(LogLevel logLevel) => logLevel >= LogLevel.Warning;

    public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter)
    {
        if (IsEnabled(logLevel))
            Console.Error.WriteLine($"{logLevel}: {formatter(state, exception)} {exception}");
    }

    public void Dispose()
    {
    }
}
