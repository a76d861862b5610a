using System.Diagnostics;
using Candela.Docker.Tests.Fake;

namespace Candela.Controller.Tests.Api;

/// <summary>The real command line against the real API.</summary>
public sealed class CommandLineTests
{
    [Fact]
    public async Task Run_shows_output_and_ends_with_the_exit_code()
    {
        await using var server = await ApiServer.StartAsync();
        Assert.Equal(new CliResult(7, "out\n", "err\n"), await RunAsync(server, null, "run", "candela/base", "sh", "-c", "echo out; echo err >&2; exit 7"));
    }

    [Fact]
    public async Task Run_feeds_standard_input()
    {
        await using var server = await ApiServer.StartAsync();
        Assert.Equal(new CliResult(0, "a\nb\n", ""), await RunAsync(server, "a\nb\n", "run", "--rm", "-i", "candela/base", "cat"));
        Assert.Equal("", (await RunAsync(server, null, "ps", "-aq")).Output);
    }

    [Fact]
    public async Task Run_of_a_missing_command_ends_with_127()
    {
        await using var server = await ApiServer.StartAsync();
        Assert.Equal(127, (await RunAsync(server, null, "run", "--rm", "candela/base", "/no/such")).ExitCode);
    }

    [Fact]
    public async Task Run_of_a_missing_image_pulls_it()
    {
        await using var server = await ApiServer.StartAsync();
        var result = await RunAsync(server, null, "run", "example/new:1", "echo", "here");
        Assert.Equal((0, "here\n"), (result.ExitCode, result.Output));
        Assert.Contains("Pulling from example/new", result.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_container_lives_from_create_to_rm()
    {
        await using var server = await ApiServer.StartAsync();
        var id = await OutputAsync(server, "run", "-d", "--name", "web", "candela/base", "sh", "-c", "echo hello; trap 'exit 4' TERM; while true; do sleep 0.1; done");
        Assert.Equal(64, id.Length);
        Assert.Contains("web", await OutputAsync(server, "ps"), StringComparison.Ordinal);
        Assert.Equal("in here", await OutputAsync(server, "exec", "web", "echo", "in", "here"));
        Assert.Equal(3, (await RunAsync(server, null, "exec", "web", "sh", "-c", "exit 3")).ExitCode);
        Assert.Contains("child", await OutputAsync(server, "top", "web"), StringComparison.Ordinal);
        Assert.Contains("web", await OutputAsync(server, "stats", "--no-stream"), StringComparison.Ordinal);
        await OutputAsync(server, "pause", "web");
        Assert.Contains("(Paused)", await OutputAsync(server, "ps"), StringComparison.Ordinal);
        await OutputAsync(server, "unpause", "web");
        await OutputAsync(server, "rename", "web", "api");
        await OutputAsync(server, "stop", "api");
        await OutputAsync(server, "stop", "api");
        Assert.Equal("4", await OutputAsync(server, "wait", "api"));
        Assert.Equal("hello", await OutputAsync(server, "logs", "api"));
        Assert.Contains("\"state\": \"Exited\"", await OutputAsync(server, "inspect", "api"), StringComparison.Ordinal);
        await OutputAsync(server, "rm", "api");
        Assert.Equal(1, (await RunAsync(server, null, "rm", "api")).ExitCode);
        Assert.Contains("destroy", await OutputAsync(server, "events", "--since", "1h", "--until", "0s"), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Images_are_pulled_listed_tagged_loaded_imported_and_removed()
    {
        await using var server = await ApiServer.StartAsync();
        await OutputAsync(server, "pull", "example/app:1");
        await OutputAsync(server, "tag", "example/app:1", "example/app:2");
        Assert.Contains("example/app", await OutputAsync(server, "images"), StringComparison.Ordinal);
        Assert.Equal("untagged: example/app:2", await OutputAsync(server, "rmi", "example/app:2"));
        Assert.Contains("example/app:1", await OutputAsync(server, "inspect", "example/app:1"), StringComparison.Ordinal);
        Assert.Equal(0, (await RunAsync(server, new string('x', 300_000), "load")).ExitCode);
        Assert.Equal(300_000, server.Images.LastLoadedBytes);
        Assert.Equal(0, (await RunAsync(server, "tar", "import", "-", "my/base:1")).ExitCode);
        Assert.StartsWith("sha256:", (await RunAsync(server, "tar", "import", "-q", "-")).Output, StringComparison.Ordinal);
        Assert.Contains("my/base", await OutputAsync(server, "images"), StringComparison.Ordinal);
        Assert.Contains("freed 4.1", await OutputAsync(server, "prune"), StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_machine_its_parents_tasks_and_status_are_shown()
    {
        await using var server = await ApiServer.StartAsync();
        Assert.Contains("fakehost", await OutputAsync(server, "machine", "info"), StringComparison.Ordinal);
        Assert.Equal("g1-2-256", await OutputAsync(server, "parent", "create", "--cpus", "2", "--memory", "256m"));
        Assert.Contains("g1-2-256", await OutputAsync(server, "parent", "ls"), StringComparison.Ordinal);
        Assert.Contains("Succeeded", await OutputAsync(server, "task", "ls"), StringComparison.Ordinal);
        await OutputAsync(server, "parent", "rm", "g1-2-256");
        Assert.Contains("is ready (pid 4711, version 1.2.3)", await OutputAsync(server, "status"), StringComparison.Ordinal);
        (server.Platform.Ready, server.Platform.Preparing) = (false, "building the guest");
        Assert.Equal(1, (await RunAsync(server, null, "status")).ExitCode);
        Assert.Contains("building the guest", (await RunAsync(server, null, "ps")).Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task People_groups_roles_and_bindings_are_managed()
    {
        await using var server = await ApiServer.StartAsync();
        Assert.Equal("acme", await OutputAsync(server, "domain", "create", "acme"));
        var made = await RunAsync(server, "correct horse battery\n", "user", "create", "ada@acme", "--given-name", "Ada", "--surname", "Lovelace", "--password");
        Assert.Equal(new CliResult(0, "ada@acme\n", ""), made);
        Assert.Equal(0, (await RunAsync(server, "another good password\n", "user", "passwd", "ada@acme")).ExitCode);
        Assert.Equal(0, (await RunAsync(server, "another good password\na password of my own\n", "self", "passwd", "ada@acme")).ExitCode);
        Assert.Equal(1, (await RunAsync(server, "another good password\nyet another password\n", "self", "passwd", "ada@acme")).ExitCode);
        await OutputAsync(server, "user", "set", "ada@acme", "--mail", "ada@example.org");
        Assert.Matches("ada +Ada Lovelace +ada@example.org +enabled", await OutputAsync(server, "user", "ls", "-d", "acme"));
        await OutputAsync(server, "user", "disable", "ada@acme");
        Assert.Contains("Enabled: False", await OutputAsync(server, "user", "show", "ada@acme"), StringComparison.Ordinal);
        await OutputAsync(server, "user", "enable", "ada@acme");
        await OutputAsync(server, "user", "unlock", "ada@acme");
        Assert.Contains("Has password: True", await OutputAsync(server, "user", "credentials", "ada@acme"), StringComparison.Ordinal);
        Assert.Equal("ci@acme", await OutputAsync(server, "service-account", "create", "ci@acme", "--description", "builds"));

        Assert.Equal("developers@acme", await OutputAsync(server, "group", "create", "developers@acme"));
        await OutputAsync(server, "group", "add", "developers@acme", "ada", "service-account:ci");
        await OutputAsync(server, "group", "add", "developers@acme", "ada");
        Assert.Contains("service-account:ci@acme", await OutputAsync(server, "group", "members", "developers@acme"), StringComparison.Ordinal);
        Assert.Matches("developers +2 +", await OutputAsync(server, "group", "ls", "-d", "acme"));

        const string scope = "/tenants/acme/projects/web";
        Assert.Equal("runner", await OutputAsync(server, "role", "create", "runner", "--tenant", "acme", "-p", "container:operate", "-p", "container:get"));
        await OutputAsync(server, "role", "set", "runner", "--tenant", "acme", "-p", "container:*");
        Assert.Matches("runner +acme +custom", await OutputAsync(server, "role", "ls", "--tenant", "acme"));
        var binding = await OutputAsync(server, "bind", "add", "runner", "group:developers@acme", scope);
        Assert.Contains(binding, await OutputAsync(server, "bind", "ls", "/tenants/acme"), StringComparison.Ordinal);
        Assert.Contains("allowed: role runner", await OutputAsync(server, "policy", "can-i", "container:execute", scope, "--as", "user:ada@acme"), StringComparison.Ordinal);
        await OutputAsync(server, "bind", "rm", binding);
        var denied = await RunAsync(server, null, "policy", "can-i", "container:execute", scope, "--as", "user:ada@acme");
        Assert.Equal(1, denied.ExitCode);
        Assert.Contains("denied", denied.Output, StringComparison.Ordinal);
        await OutputAsync(server, "role", "rm", "runner", "--tenant", "acme");

        var ldif = (await RunAsync(server, null, "domain", "export", "acme")).Output;
        await OutputAsync(server, "group", "rm", "developers@acme");
        await OutputAsync(server, "user", "rm", "ada@acme");
        await OutputAsync(server, "service-account", "rm", "ci@acme");
        Assert.Equal("made 3 accounts and groups and 2 memberships; 0 were there\n", (await RunAsync(server, ldif, "domain", "import", "acme")).Output);
        await OutputAsync(server, "domain", "set", "acme", "--password-length", "20");
        Assert.Contains("Minimum length: 20", await OutputAsync(server, "domain", "show", "acme"), StringComparison.Ordinal);
        Assert.Equal(1, (await RunAsync(server, null, "domain", "rm", "acme")).ExitCode);
    }

    [Fact]
    public async Task Segments_groups_policies_and_flows()
    {
        await using var server = await ApiServer.StartAsync();
        Assert.Equal("front", await OutputAsync(server, "segment", "create", "front", "--subnet", "172.30.0.0/16", "--label", "a=b"));
        Assert.Equal("back", await OutputAsync(server, "segment", "create", "back", "--internal", "--route", "front", "--egress-rate", "10k", "--ipv6"));
        Assert.Matches("front +[0-9a-f]{12} +172\\.30\\.0\\.0/16 +yes +back", await OutputAsync(server, "segment", "ls"));
        Assert.Contains("Egress bytes per second: 10240", await OutputAsync(server, "segment", "show", "back"), StringComparison.Ordinal);
        await OutputAsync(server, "segment", "set", "back", "--no-routes", "--egress-rate", "0");
        Assert.Equal(["back", "bridge", "front"], (await OutputAsync(server, "segment", "ls", "-q")).Split('\n').Order());
        Assert.Equal(2, (await RunAsync(server, null, "segment", "set", "back", "--egress-rate", "much")).ExitCode);

        Assert.Equal("web", await OutputAsync(server, "security-group", "create", "web", "--label", "tier=web"));
        Assert.Equal("db", await OutputAsync(server, "sg", "create", "db", "-l", "tier=db", "--description", "the data"));
        await OutputAsync(server, "sg", "set", "web", "-l", "tier=front");
        Assert.Matches("web +tier=front", await OutputAsync(server, "sg", "ls"));
        Assert.Equal("", await OutputAsync(server, "sg", "members", "web"));

        Assert.Equal("no-web", await OutputAsync(server, "network-policy", "create", "no-web", "--direction", "ingress", "--action", "deny", "--for", "group:db",
            "--peer", "group:web", "--peer", "cidr:10.0.0.0/8!10.1.0.0/16", "--service", "tcp:5432-5440", "-s", "icmp:8", "--priority", "10"));
        Assert.Equal("out", await OutputAsync(server, "np", "create", "out", "--direction", "egress", "--action", "allow", "--for", "workload:default/default/db", "--peer", "dns:*.example.org"));
        await OutputAsync(server, "np", "set", "no-web", "--action", "allow", "-s", "any");
        Assert.Matches("no-web +ingress +10 +allow +group:db +group:web cidr:10\\.0\\.0\\.0/8!10\\.1\\.0\\.0/16 +any", await OutputAsync(server, "np", "ls"));
        Assert.Contains("Revision: 2", await OutputAsync(server, "np", "show", "no-web"), StringComparison.Ordinal);
        Assert.Equal(1, (await RunAsync(server, null, "sg", "rm", "web")).ExitCode);
        Assert.Equal(2, (await RunAsync(server, null, "np", "create", "x", "--direction", "ingress", "--action", "deny", "--peer", "nonsense")).ExitCode);
        Assert.Equal(2, (await RunAsync(server, null, "np", "create", "x", "--direction", "ingress", "--action", "deny", "-s", "tcp:http")).ExitCode);
        Assert.Equal("open", await OutputAsync(server, "np", "default"));
        await OutputAsync(server, "np", "default", "closed");
        Assert.Contains("\"default\": \"Closed\"", await OutputAsync(server, "np", "default", "-o", "json"), StringComparison.Ordinal);

        server.Networks.Flows.Add(n => new Candela.Network.Flows.FlowEntry
        {
            Sequence = n, Time = DateTimeOffset.UnixEpoch, ProjectId = "default", Verdict = Candela.Network.Flows.FlowVerdict.Denied, PolicyId = "no-web",
            Flow = new Candela.Network.Flows.FlowTuple(System.Net.IPAddress.Parse("10.0.0.2"), System.Net.IPAddress.Parse("10.0.0.3"), Candela.Network.Plan.Protocol.Tcp, 4000, 80, 0, false),
        });
        Assert.EndsWith("denied by policy no-web: 10.0.0.2:4000 -> 10.0.0.3:80 tcp", await OutputAsync(server, "flow", "log", "--policy", "no-web", "--outcome", "denied"), StringComparison.Ordinal);
        Assert.Contains("\"policy\":\"no-web\"", await OutputAsync(server, "flow", "log", "-o", "json"), StringComparison.Ordinal);
        Assert.Matches("policy no-web +2 +120", await OutputAsync(server, "flow", "counters"));

        await OutputAsync(server, "np", "rm", "no-web", "out");
        await OutputAsync(server, "sg", "rm", "web", "db");
        await OutputAsync(server, "segment", "rm", "front", "back");
        Assert.Equal("bridge", await OutputAsync(server, "__complete", "--", "segment", "rm", ""));
    }

    private static async Task<string> OutputAsync(ApiServer server, params string[] arguments)
    {
        var result = await RunAsync(server, null, arguments);
        Assert.True(result.ExitCode == 0, $"candela {string.Join(' ', arguments)}: {result}");
        return result.Output.TrimEnd('\n');
    }

    private static async Task<CliResult> RunAsync(ApiServer server, string? input, params string[] arguments)
    {
        using var process = Process.Start(new ProcessStartInfo(Path.Combine(AppContext.BaseDirectory, "candela"), arguments)
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            Environment = { ["CANDELA_HOST"] = "unix://" + server.SocketPath, ["DOTNET_ROLL_FORWARD"] = "Major", ["DOCKER_CONFIG"] = "/nonexistent" },
        })!;
        using var limit = new CancellationTokenSource(ApiServer.Deadline);
        try
        {
            var output = process.StandardOutput.ReadToEndAsync(limit.Token);
            var error = process.StandardError.ReadToEndAsync(limit.Token);
            if (input is not null)
                await process.StandardInput.WriteAsync(input.AsMemory(), limit.Token);
            process.StandardInput.Close();
            var result = new CliResult(0, await output, await error);
            await process.WaitForExitAsync(limit.Token);
            return result with { ExitCode = process.ExitCode };
        }
        finally
        {
            if (!process.HasExited)
                process.Kill();
        }
    }
}
