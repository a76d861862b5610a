using Candela.Bench.Networks;
using Candela.Cli.Api;
using Candela.Cli.Http;
using Candela.Model;

namespace Candela.Bench;

/// <summary>candelad in folders of its own.</summary>
internal sealed class CandelaEngine : Engine
{
    private readonly string candela;
    private readonly BenchHost? host;

    /// <param name="folder">Its folder.</param>
    /// <param name="programs">Folder of the programs.</param>
    /// <param name="host">Where its networks are; null: it has none to be measured.</param>
    public CandelaEngine(string folder, string programs, BenchHost? host = null)
        : base("Candela", folder)
    {
        candela = Path.Combine(programs, "candela");
        this.host = host;
        try
        {
            Up();
            using var client = Connect();
            Version = client.Get(Routes.Status, Wire.Default.StatusAnswer).Version ?? "";
        }
        catch
        {
            Execute(candela, "down", "--run", RunFolder);
            throw;
        }
    }

    public override string DockerSocket => Path.Combine(RunFolder, "docker.sock");

    public override string Version { get; }

    public string StateFolder => Path.Combine(Folder, "state");

    public string RunFolder => Path.Combine(Folder, "run");

    public string RestSocket => Path.Combine(RunFolder, "candela.sock");

    /// <summary>Starts the daemon, if it does not run, and waits until it is ready.</summary>
    public void Up()
    {
        string[] up = [candela, "up", "--quiet", "--state", StateFolder, "--run", RunFolder];
        if (host is not null)
            up = ["nsenter", .. host.Enter, .. up];
        Execute(up[0], up[1..]);
    }

    /// <summary>Ends the daemon alone; containers go on.</summary>
    public void DownAlone() => Execute(candela, "down", "--run", RunFolder);

    /// <summary>Ends it, and its containers.</summary>
    public void Down() => Execute(candela, "down", "--containers", "--run", RunFolder);

    public DaemonClient Connect() => new(RestSocket);

    public static Container CreateAndStart(DaemonClient client, params string[] command)
    {
        var request = new CreateRequest(null, new ContainerSpec { Image = Image, Command = command });
        var container = client.Post(Routes.Containers, request, Wire.Default.CreateRequest, Wire.Default.Container);
        client.Post(Routes.Container(container.Id, "start"));
        return container;
    }

    public static void Remove(DaemonClient client, string id) =>
        client.Delete(Routes.Query(Routes.Container(id), ("force", "true")));

    public override void Dispose()
    {
        if (File.Exists(Path.Combine(RunFolder, "candelad.pid")))
            Down();
    }

}
