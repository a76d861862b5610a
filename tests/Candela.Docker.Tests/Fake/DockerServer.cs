using System.Diagnostics;
using System.Text;
using Candela.Controller;
using Candela.Controller.Api;
using Candela.Docker.Tests.Transport;
using Microsoft.Extensions.DependencyInjection;

namespace Candela.Docker.Tests.Fake;

/// <summary>The Docker endpoint over the fake, and the stock docker CLI to drive it.</summary>
internal sealed class DockerServer : IAsyncDisposable
{
    private static readonly TimeSpan Deadline = TimeSpan.FromSeconds(60);

    private readonly SocketServer _server;

    private DockerServer(SocketServer server, FakeContainerService containers, FakeImageService images, FakePlatform platform) =>
        (_server, Containers, Images, Platform) = (server, containers, images, platform);

    public FakeContainerService Containers { get; }

    public FakeImageService Images { get; }

    public FakePlatform Platform { get; }

    public string SocketPath => _server.SocketPath;

    public string Folder => _server.Folder;

    public static async Task<DockerServer> StartAsync()
    {
        var images = new FakeImageService();
        var platform = new FakePlatform();
        var containers = new FakeContainerService(images);
        var server = await SocketServer.StartAsync(
            app => app.MapDockerApi(),
            services => services
                .AddSingleton<IContainerService>(containers)
                .AddSingleton<IImageService>(images)
                .AddSingleton<IMachineService, FakeMachineService>()
                .AddSingleton<INetworkService, FakeNetworkService>()
                .AddSingleton<IVolumeService, FakeVolumeService>()
                .AddSingleton<IPlatformStatus>(platform)
                .AddDockerApi(options => options.StatisticsInterval = TimeSpan.FromMilliseconds(50)));
        return new DockerServer(server, containers, images, platform);
    }

    /// <summary>Starts the CLI; arguments as in a shell's command line after "docker".</summary>
    public Process Start(params string[] arguments)
    {
        var start = new ProcessStartInfo("docker", ["-H", "unix://" + SocketPath, .. arguments])
        {
            RedirectStandardInput = true, RedirectStandardOutput = true, RedirectStandardError = true,
        };
        start.Environment["DOCKER_CONFIG"] = Folder;
        start.Environment["DOCKER_CLI_HINTS"] = "false";
        return Process.Start(start)!;
    }

    /// <summary>Starts the CLI in a terminal.</summary>
    public TerminalClient StartTerminal((ushort Rows, ushort Columns) size, params string[] arguments)
        => TerminalClient.Start(size, ["DOCKER_CONFIG=" + Folder, "DOCKER_CLI_HINTS=false"], ["docker", "-H", "unix://" + SocketPath, .. arguments]);

    /// <summary>Runs the CLI to its end.</summary>
    public async Task<CliResult> RunAsync(params string[] arguments) => await FinishAsync(Start(arguments), input: null);

    public async Task<CliResult> RunWithInputAsync(string input, params string[] arguments) => await FinishAsync(Start(arguments), Encoding.UTF8.GetBytes(input));

    /// <summary>Runs the CLI, which must succeed, and gives its output.</summary>
    public async Task<string> OutputAsync(params string[] arguments)
    {
        var result = await RunAsync(arguments);
        Assert.True(result.ExitCode == 0, $"docker {string.Join(' ', arguments)}: {result}");
        return result.Output.TrimEnd('\n');
    }

    public static async Task<CliResult> FinishAsync(Process process, byte[]? input)
    {
        using var limit = new CancellationTokenSource(Deadline);
        try
        {
            var output = process.StandardOutput.ReadToEndAsync(limit.Token);
            var error = process.StandardError.ReadToEndAsync(limit.Token);
            if (input is not null)
                await process.StandardInput.BaseStream.WriteAsync(input, limit.Token);
            process.StandardInput.Close();
            var result = new CliResult(0, await output, await error);
            await process.WaitForExitAsync(limit.Token);
            return result with { ExitCode = process.ExitCode };
        }
        finally
        {
            if (!process.HasExited)
                process.Kill();
            process.Dispose();
        }
    }

    public async ValueTask DisposeAsync()
    {
        Containers.Dispose();
        await _server.DisposeAsync();
    }
}
