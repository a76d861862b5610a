using System.Net.Http.Json;
using System.Text.Json.Nodes;
using Candela.Cli.Api;

namespace Candela.Controller.Tests.Api;

public sealed class PlatformTests
{
    [Fact]
    public async Task The_status_tells_what_the_command_line_reads()
    {
        await using var server = await ApiServer.StartAsync();
        using var client = server.Client();
        Assert.Equal(
            new StatusAnswer(true, null, null, "1.2.3", 4711, server.Platform.StartedAt, 3, 2),
            client.Get(Routes.Status, Wire.Default.StatusAnswer));
    }

    [Theory]
    [InlineData("GET", "/v1/containers")]
    [InlineData("POST", "/v1/containers")]
    [InlineData("GET", "/v1/images")]
    [InlineData("POST", "/v1/images/pull")]
    [InlineData("GET", "/v1/machine")]
    [InlineData("GET", "/v1/events")]
    [InlineData("POST", "/v1/containers/x/attach")]
    public async Task While_preparing_every_other_call_says_what_is_being_prepared(string method, string path)
    {
        await using var server = await ApiServer.StartAsync();
        (server.Platform.Ready, server.Platform.Preparing) = (false, "building the guest");
        var problem = await ApiServer.ProblemAsync(await server.Http.SendAsync(new HttpRequestMessage(new HttpMethod(method), path)), 503, "Unavailable");
        Assert.Contains("building the guest", (string)problem["detail"]!, StringComparison.Ordinal);
    }

    [Fact]
    public async Task While_preparing_the_status_answers_and_afterwards_all()
    {
        await using var server = await ApiServer.StartAsync();
        (server.Platform.Ready, server.Platform.Preparing) = (false, "building the guest");
        using var client = server.Client();
        var status = client.Get(Routes.Status, Wire.Default.StatusAnswer);
        Assert.Equal((false, "building the guest"), (status.Ready, status.Preparing));
        (await server.Http.GetAsync("/openapi/v1.json")).EnsureSuccessStatusCode();
        server.Platform.Ready = true;
        Assert.Empty(client.Get(Routes.Containers, Wire.Default.IReadOnlyListContainer));
    }

    [Fact]
    public async Task A_platform_that_cannot_get_ready_says_why()
    {
        await using var server = await ApiServer.StartAsync();
        (server.Platform.Ready, server.Platform.Error) = (false, "no space left");
        var problem = await ApiServer.ProblemAsync(await server.Http.GetAsync("/v1/images"), 503, "Unavailable");
        Assert.Contains("no space left", (string)problem["detail"]!, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Parents_are_made_listed_and_removed()
    {
        await using var server = await ApiServer.StartAsync();
        using var client = server.Client();
        var made = client.Post(Routes.Parents, new ParentRequest(2, 256 << 20), Wire.Default.ParentRequest, Wire.Default.ParentRow);
        Assert.Equal(("g1-2-256", 2, 256L << 20, 4), (made.Key, made.Size.VCpus, made.Size.MemoryBytes, made.Waiting));
        Assert.Equal(made.Key, Assert.Single(client.Get(Routes.Parents, Wire.Default.IReadOnlyListParentRow)).Key);
        client.Delete(Routes.Parent(made.Key));
        Assert.Empty(client.Get(Routes.Parents, Wire.Default.IReadOnlyListParentRow));
        Assert.True(Assert.Throws<Cli.Http.ApiException>(() => client.Delete(Routes.Parent(made.Key))).Is(Model.ErrorCode.NotFound));
        Assert.Throws<Cli.Http.ApiException>(() => client.Post(Routes.Parents, new ParentRequest(33, 1 << 30), Wire.Default.ParentRequest));
    }

    [Fact]
    public async Task Long_operations_are_listed_as_tasks()
    {
        await using var server = await ApiServer.StartAsync();
        using var client = server.Client();
        client.Post(Routes.Parents, new ParentRequest(1, 128 << 20), Wire.Default.ParentRequest);
        await (await server.Http.PostAsync("/v1/images/pull", ApiServer.Json("""{"reference":"broken/image"}"""))).Content.ReadAsByteArrayAsync();
        var tasks = client.Get(Routes.Tasks, Wire.Default.IReadOnlyListTaskRow);
        Assert.Equal(["pull", "parent"], tasks.Select(task => task.Kind));
        Assert.Equal(["Failed", "Succeeded"], tasks.Select(task => task.State));
        Assert.Equal(("broken/image", "layer 0123456789ab: digest mismatch"), (tasks[0].Subject, tasks[0].Message));
    }

    [Fact]
    public async Task The_machine_is_described()
    {
        await using var server = await ApiServer.StartAsync();
        var machine = await server.Http.GetFromJsonAsync<JsonNode>(Routes.Machine);
        Assert.Equal("fakehost", (string)machine!["hostname"]!);
        Assert.Equal("a test", (string)machine["driver"]!["reasons"]![0]!);
    }
}
