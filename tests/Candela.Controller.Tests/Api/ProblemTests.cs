using System.Net;
using Candela.Model;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Server.Kestrel.Transport.Sockets;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;

namespace Candela.Controller.Tests.Api;

public sealed class ProblemTests
{
    [Theory]
    [InlineData("InvalidArgument", 400)]
    [InlineData("Unauthenticated", 401)]
    [InlineData("PermissionDenied", 403)]
    [InlineData("NotFound", 404)]
    [InlineData("AlreadyExists", 409)]
    [InlineData("Conflict", 409)]
    [InlineData("ResourceExhausted", 507)]
    [InlineData("NotSupported", 501)]
    [InlineData("Unavailable", 503)]
    [InlineData("DeadlineExceeded", 504)]
    [InlineData("ImageNotFound", 404)]
    [InlineData("ImageInvalid", 422)]
    [InlineData("CommandNotFound", 422)]
    [InlineData("CommandNotExecutable", 422)]
    public async Task Each_error_code_has_its_status(string code, int status)
    {
        await using var server = await ApiServer.StartAsync();
        server.Machine.Failure = new CandelaException(Enum.Parse<ErrorCode>(code), "because of this");
        var problem = await ApiServer.ProblemAsync(await server.Http.GetAsync("/v1/machine"), status, code);
        Assert.Equal("because of this", (string)problem["detail"]!);
        Assert.Null(problem["reference"]);
    }

    [Fact]
    public async Task Nothing_to_do_is_304_without_a_body()
    {
        await using var server = await ApiServer.StartAsync();
        var id = await server.RunAsync("sleep 60");
        var response = await server.Http.PostAsync($"/v1/containers/{id}/start", null);
        Assert.Equal(HttpStatusCode.NotModified, response.StatusCode);
        Assert.Empty(await response.Content.ReadAsByteArrayAsync());
        using var client = server.Client();
        var failure = Assert.Throws<Cli.Http.ApiException>(() => client.Post($"/v1/containers/{id}/start"));
        Assert.True(failure.Is(ErrorCode.NotModified));
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_defect_tells_a_reference_and_nothing_of_its_inside(bool known)
    {
        await using var server = await ApiServer.StartAsync();
        server.Machine.Failure = known ? new CandelaException(ErrorCode.Internal, "secret") : new InvalidDataException("secret");
        var problem = await ApiServer.ProblemAsync(await server.Http.GetAsync("/v1/machine"), 500, "Internal");
        Assert.DoesNotContain("secret", problem.ToJsonString(), StringComparison.Ordinal);
        Assert.Contains((string)problem["reference"]!, (string)problem["detail"]!, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("GET", "/")]
    [InlineData("GET", "/v1")]
    [InlineData("GET", "/v2/containers")]
    [InlineData("GET", "/v1/containers/a/b/c")]
    [InlineData("GET", "/v1.50/containers/json")]
    public async Task An_unknown_route_is_a_problem(string method, string path)
    {
        await using var server = await ApiServer.StartAsync();
        await ApiServer.ProblemAsync(await server.Http.SendAsync(new HttpRequestMessage(new HttpMethod(method), path)), 404, "NotFound");
    }

    [Theory]
    [InlineData("PATCH", "/v1/containers", "GET, POST")]
    [InlineData("POST", "/v1/machine", "GET")]
    public async Task A_method_that_a_path_has_not_is_refused_with_those_it_has(string method, string path, string allowed)
    {
        await using var server = await ApiServer.StartAsync();
        var response = await server.Http.SendAsync(new HttpRequestMessage(new HttpMethod(method), path));
        Assert.Equal(allowed, string.Join(", ", response.Content.Headers.Allow));
        await ApiServer.ProblemAsync(response, 405, "InvalidArgument");
    }

    [Theory]
    [InlineData("", "a body is required")]
    [InlineData("null", "a body is required")]
    [InlineData("{", "not the JSON expected")]
    [InlineData("[]", "not the JSON expected")]
    [InlineData("""{"spec":{}}""", "lacks 'image' at $.spec")]
    [InlineData("""{"name":"a"}""", "lacks 'spec'")]
    [InlineData("""{"spec":{"image":"a","ulimits":[{"name":"nofile","soft":1}]}}""", "lacks 'hard' at $.spec.ulimits[0]")]
    [InlineData("""{"spec":{"image":"a"},"nane":"a"}""", "unknown member \"nane\"")]
    [InlineData("""{"spec":{"image":"a","Tty":true}}""", "unknown member \"Tty\"")]
    [InlineData("""{"spec":{"image":"a","restartPolicy":{"when":1}}}""", "unknown member \"when\"")]
    [InlineData("""{"spec":{"image":null}}""", "not the JSON expected at $.spec.image")]
    [InlineData("""{"spec":{"image":"a","environment":null}}""", "not the JSON expected at $.spec.environment")]
    [InlineData("""{"spec":{"image":"a","memoryBytes":"12"}}""", "not the JSON expected at $.spec.memoryBytes")]
    [InlineData("""{"spec":{"image":"a","restartPolicy":{"condition":"Sometimes"}}}""", "not the JSON expected at $.spec.restartPolicy.condition")]
    [InlineData("""{"spec":{"image":"a","restartPolicy":{"condition":1}}}""", "not the JSON expected at $.spec.restartPolicy.condition")]
    [InlineData("""{"spec":{"image":"a","image":"b"}}""", "not the JSON expected")]
    public async Task A_malformed_body_is_refused_with_words_of_ours(string body, string words)
    {
        await using var server = await ApiServer.StartAsync();
        var problem = await ApiServer.ProblemAsync(await server.Http.PostAsync("/v1/containers", ApiServer.Json(body)), 400, "InvalidArgument");
        var detail = (string)problem["detail"]!;
        Assert.Contains(words, detail, StringComparison.Ordinal);
        Assert.DoesNotContain("Candela.", detail, StringComparison.Ordinal);
        Assert.DoesNotContain("System.", detail, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_body_of_another_type_is_refused()
    {
        await using var server = await ApiServer.StartAsync();
        var body = new StringContent("""{"spec":{"image":"a"}}""", System.Text.Encoding.UTF8, "text/plain");
        await ApiServer.ProblemAsync(await server.Http.PostAsync("/v1/containers", body), 415, "InvalidArgument");
    }

    [Theory]
    [InlineData("POST", "stop?timeoutSeconds=soon", "the parameter timeoutSeconds cannot be \"soon\"")]
    [InlineData("POST", "stop?timeoutSeconds=-2", "timeoutSeconds is -1 (never) at least, not -2")]
    [InlineData("POST", "rename", "the parameter name is required")]
    [InlineData("GET", "logs?tail=-1", "tail is 0 at least, not -1")]
    [InlineData("GET", "logs?since=yesterday", "the parameter since cannot be \"yesterday\"")]
    [InlineData("POST", "wait?condition=Never", "the parameter condition cannot be \"Never\"")]
    public async Task A_malformed_parameter_is_refused_with_words_of_ours(string method, string action, string words)
    {
        await using var server = await ApiServer.StartAsync();
        var id = await server.CreateAsync("true");
        var response = await server.Http.SendAsync(new HttpRequestMessage(new HttpMethod(method), $"/v1/containers/{id}/{action}"));
        Assert.Equal(words, (string)(await ApiServer.ProblemAsync(response, 400, "InvalidArgument"))["detail"]!);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_body_that_is_too_large_is_refused(bool chunked)
    {
        await using var server = await ApiServer.StartAsync(services => services.Configure<Candela.Controller.Api.ControllerApiOptions>(options => options.JsonBytesMaximum = 10_000));
        var request = new HttpRequestMessage(HttpMethod.Post, "/v1/containers") { Content = ApiServer.Json($$"""{"name":"{{new string('a', 20_000)}}"}""") };
        request.Headers.TransferEncodingChunked = chunked;
        await ApiServer.ProblemAsync(await server.Http.SendAsync(request), 413, "InvalidArgument");
    }

    [Fact]
    public async Task A_connection_without_peer_credentials_is_unauthenticated()
    {
        await using var server = await ApiServer.StartAsync(services =>
        {
            services.RemoveAll<IConnectionListenerFactory>();
            services.AddSingleton<IConnectionListenerFactory, SocketTransportFactory>();
        });
        await ApiServer.ProblemAsync(await server.Http.GetAsync("/v1/status"), 401, "Unauthenticated");
        await ApiServer.ProblemAsync(await server.Http.GetAsync("/v1/containers"), 401, "Unauthenticated");
    }

    [Fact]
    public async Task The_caller_is_the_peer_of_the_socket()
    {
        await using var server = await ApiServer.StartAsync(services => services.Configure<Candela.Controller.Api.ControllerApiOptions>(options => options.Project = "p1"));
        (await server.Http.GetAsync("/v1/machine")).EnsureSuccessStatusCode();
        Assert.Equal(new Caller(server.Machine.LastCaller!.UserId!.Value, Environment.UserName, "p1"), server.Machine.LastCaller);
    }

    [Fact]
    public async Task A_failure_after_the_first_line_becomes_the_last_line()
    {
        await using var server = await ApiServer.StartAsync();
        var response = await server.Http.PostAsync("/v1/images/pull", ApiServer.Json("""{"reference":"broken/image"}"""));
        Assert.Equal("application/x-ndjson", response.Content.Headers.ContentType?.MediaType);
        var lines = (await response.Content.ReadAsStringAsync()).TrimEnd('\n').Split('\n');
        Assert.Contains("\"error\":\"layer 0123456789ab: digest mismatch\",\"code\":\"ImageInvalid\"", lines[^1], StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_failure_before_the_first_line_has_its_status()
    {
        await using var server = await ApiServer.StartAsync();
        await ApiServer.ProblemAsync(await server.Http.PostAsync("/v1/images/pull", ApiServer.Json("""{"reference":"missing"}""")), 404, "ImageNotFound");
        Assert.Null(server.Images.LastCredential);
    }

    [Fact]
    public async Task A_name_in_use_is_a_conflict()
    {
        await using var server = await ApiServer.StartAsync();
        const string body = """{"name":"web","spec":{"image":"candela/base"}}""";
        (await server.Http.PostAsync("/v1/containers", ApiServer.Json(body))).EnsureSuccessStatusCode();
        await ApiServer.ProblemAsync(await server.Http.PostAsync("/v1/containers", ApiServer.Json(body)), 409, "AlreadyExists");
    }

    [Fact]
    public async Task Members_that_a_spec_does_not_have_get_their_defaults()
    {
        await using var server = await ApiServer.StartAsync();
        await server.CreateAsync("true");
        var expected = new ContainerSpec { Image = "candela/base", Command = ["sh", "-c", "true"] };
        Assert.Equivalent(expected, server.Containers.LastSpec, strict: true);
    }
}
