using System.Net;
using System.Net.Http.Json;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace Candela.Acceptance;

/// <summary>The sockets, spoken to without a client program.</summary>
public sealed class ApiTests(Platform platform)
{
    [Fact]
    public async Task Status_says_ready()
    {
        using var http = Platform.Http(platform.ApiSocket);
        var status = (await http.GetFromJsonAsync<JsonObject>("v1/status"))!;
        Assert.True((bool)status["ready"]!);
        Assert.Equal(platform.DaemonPid, (int)status["pid"]!);
        Assert.Contains("ready", (await platform.CandelaAsync("status")).Text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Openapi_document_describes_every_path()
    {
        using var http = Platform.Http(platform.ApiSocket);
        using var document = JsonDocument.Parse(await http.GetStringAsync("openapi/v1.json"));
        Assert.StartsWith("3.", document.RootElement.GetProperty("openapi").GetString(), StringComparison.Ordinal);
        var paths = document.RootElement.GetProperty("paths");
        Assert.True(paths.TryGetProperty("/v1/containers/{reference}/fork", out _));
        foreach (var path in paths.EnumerateObject())
        {
            foreach (var operation in path.Value.EnumerateObject().Where(p => p.Value.ValueKind == JsonValueKind.Object))
                Assert.NotEqual("", operation.Value.GetProperty("operationId").GetString());
        }
    }

    [Theory]
    [InlineData("v1/containers/no-such-container", "NotFound")]
    [InlineData("v1/images/no%2Fsuch", "ImageNotFound")]
    [InlineData("v1/no-such-thing", "NotFound")]
    public async Task Failures_are_problem_details(string target, string code)
    {
        using var http = Platform.Http(platform.ApiSocket);
        using var answer = await http.GetAsync(target);
        Assert.Equal(HttpStatusCode.NotFound, answer.StatusCode);
        Assert.Equal("application/problem+json", answer.Content.Headers.ContentType!.MediaType);
        var problem = (await answer.Content.ReadFromJsonAsync<JsonObject>())!;
        Assert.Equal(404, (int)problem["status"]!);
        Assert.Equal(code, (string)problem["code"]!, ignoreCase: true);
        Assert.NotEqual("", (string)problem["detail"]!);
    }

    [Theory]
    [InlineData("{")]
    [InlineData("[]")]
    [InlineData("{\"image\": 7}")]
    [InlineData("{\"image\": \"candela/base\", \"environment\": [\"=\"]}")]
    [InlineData("{\"image\": \"candela/base\", \"noSuchProperty\": 1, \"memoryBytes\": -5}")]
    public async Task Malformed_requests_are_refused(string body)
    {
        using var http = Platform.Http(platform.ApiSocket);
        using var content = new StringContent(body, System.Text.Encoding.UTF8, "application/json");
        using var answer = await http.PostAsync("v1/containers", content);
        Assert.Equal(HttpStatusCode.BadRequest, answer.StatusCode);
        Assert.Equal("application/problem+json", answer.Content.Headers.ContentType!.MediaType);
    }

    [Fact]
    public async Task Docker_endpoint_speaks_its_versions()
    {
        using var http = Platform.Http(platform.DockerSocket);
        Assert.Equal("OK", await http.GetStringAsync("_ping"));
        using var old = await http.GetAsync("v1.1/containers/json");
        Assert.Equal(HttpStatusCode.BadRequest, old.StatusCode);
        using var current = await http.GetAsync("v1.41/containers/json");
        Assert.Equal(HttpStatusCode.OK, current.StatusCode);
        var version = (await platform.DockerAsync("version", "--format", "{{.Server.Os}}/{{.Server.Arch}}")).Text;
        Assert.Equal("linux/amd64", version);
        Assert.Equal(0, (await platform.DockerAsync("info")).ExitCode);
    }

    [Theory]
    [InlineData("build", "-")]
    [InlineData("network", "create", "--driver", "overlay", "n")]
    [InlineData("swarm", "init")]
    public async Task What_is_not_there_is_refused_with_a_reason(params string[] arguments)
    {
        var result = await platform.DockerAsync(arguments);
        Assert.NotEqual(0, result.ExitCode);
        Assert.NotEqual("", result.Error);
    }

    [Fact]
    public async Task Other_users_cannot_connect()
    {
        foreach (var socket in (string[])[platform.ApiSocket, platform.DockerSocket])
        {
            using var nobody = new RunningCommand("setpriv", ["--reuid=65534", "--regid=65534", "--clear-groups", "curl", "-s", "--unix-socket", socket, "http://localhost/_ping"], new Dictionary<string, string>());
            Assert.NotEqual(0, (await nobody.FinishAsync()).ExitCode);
        }
    }

    [Fact]
    public async Task Machine_tells_its_driver_and_parents()
    {
        Assert.Contains("qemu", (await platform.CandelaAsync("machine", "info")).Text, StringComparison.OrdinalIgnoreCase);
        Assert.NotEmpty((await platform.CandelaAsync("parent", "ls")).Lines[1..]);
    }

    [Fact]
    public async Task Second_daemon_on_the_same_folders_is_refused()
    {
        var binaries = Path.GetDirectoryName(File.ResolveLinkTarget($"/proc/{platform.DaemonPid}/exe", false)!.FullName)!;
        using var second = new RunningCommand(Path.Combine(binaries, "candelad"), ["--state", platform.StateFolder, "--run", platform.RunFolder], new Dictionary<string, string>());
        var result = await second.FinishAsync();
        Assert.Equal(1, result.ExitCode);
        Assert.Contains("another candelad", result.Error, StringComparison.Ordinal);
    }
}
