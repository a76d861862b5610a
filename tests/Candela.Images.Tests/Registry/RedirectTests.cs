using Candela.Model;

namespace Candela.Images.Tests.Registry;

public sealed class RedirectTests : IDisposable
{
    private readonly FakeImage _image = new(50_000);
    private readonly RegistryClient _client = new();
    private readonly RegistryCredential _credential = new("jo", "secret", null);

    public void Dispose() => _client.Dispose();

    [Theory]
    [InlineData(301)]
    [InlineData(302)]
    [InlineData(303)]
    [InlineData(307)]
    [InlineData(308)]
    public async Task Follows_to_another_host_without_the_password(int status)
    {
        await using var storage = new FakeServer(request => FakeAnswer.Range(request, _image.Layer));
        await using var registry = Protected(request => request.Target == _image.LayerPath
            ? FakeAnswer.Redirect($"http://{storage.Authority}/bucket?signature=1", status)
            : _image.Answer(request));

        Assert.Equal(_image.Layer, await _client.FetchLayerAsync(registry, _credential));

        Assert.Null(Assert.Single(storage.Requests).Authorization);
    }

    [Fact]
    public async Task Asks_the_registry_again_for_where_to_continue()
    {
        await using var storage = new FakeServer(request =>
        {
            var answer = FakeAnswer.Range(request, _image.Layer);
            return request.RangeStart == 0 ? answer.BrokenAfter(20_000) : answer;
        });
        await using var registry = Protected(request => request.Target == _image.LayerPath ? FakeAnswer.Redirect($"http://{storage.Authority}/bucket") : _image.Answer(request));

        Assert.Equal(_image.Layer, await _client.FetchLayerAsync(registry, _credential));

        Assert.Equal([0, 20_000], storage.Requests.Select(request => request.RangeStart));
        Assert.All(storage.Requests, request => Assert.Null(request.Authorization));
    }

    [Fact]
    public async Task Keeps_the_password_on_the_same_host()
    {
        await using var registry = Protected(request => request.Target == _image.LayerPath ? FakeAnswer.Redirect("/elsewhere")
            : request.Target == "/elsewhere" ? FakeAnswer.Range(request, _image.Layer)
            : _image.Answer(request));

        Assert.Equal(_image.Layer, await _client.FetchLayerAsync(registry, _credential));
    }

    [Fact]
    public async Task Does_not_send_the_password_again_after_a_detour()
    {
        FakeServer? registry = null;
        await using var detour = new FakeServer(_ => FakeAnswer.Redirect($"http://{registry!.Authority}/back"));
        await using (registry = Protected(request => request.Target == _image.LayerPath ? FakeAnswer.Redirect($"http://{detour.Authority}/") : _image.Answer(request)))
        {
            await Assert.ThrowsAsync<CandelaException>(() => _client.FetchLayerAsync(registry, _credential));

            Assert.All(registry.Requests.Where(request => request.Target == "/back"), request => Assert.Null(request.Authorization));
        }
    }

    [Fact]
    public async Task Does_not_answer_another_hosts_challenge()
    {
        await using var storage = new FakeServer(_ => FakeAnswer.Challenge("Basic realm=\"phishing\""));
        await using var registry = Protected(request => request.Target == _image.LayerPath ? FakeAnswer.Redirect($"http://{storage.Authority}/") : _image.Answer(request));

        var failure = await Assert.ThrowsAsync<CandelaException>(() => _client.FetchLayerAsync(registry, _credential));

        Assert.Equal(ErrorCode.Unavailable, failure.Code);
        Assert.Contains($"its storage {storage.Authority} answers", failure.Message, StringComparison.Ordinal);
        Assert.All(storage.Requests, request => Assert.Null(request.Authorization));
    }

    [Fact]
    public async Task Ends_in_a_loop()
    {
        await using var registry = new FakeServer(request => FakeAnswer.Redirect(request.Target));

        var failure = await _client.FailToResolveAsync(registry);

        Assert.Equal(ErrorCode.Unavailable, failure.Code);
        Assert.Contains("redirects more than 10 times", failure.Message, StringComparison.Ordinal);
        Assert.Equal(11, registry.Requests.Count);
    }

    [Theory]
    [InlineData("file:///etc/passwd")]
    [InlineData("ftp://127.0.0.1/")]
    [InlineData("http://")]
    public async Task Refuses_what_is_no_web_address(string location)
    {
        await using var registry = new FakeServer(_ => FakeAnswer.Redirect(location));

        var failure = await _client.FailToResolveAsync(registry);

        Assert.True(failure.Code is ErrorCode.PermissionDenied or ErrorCode.Unavailable, failure.Message);
    }

    [Fact]
    public async Task Refuses_to_go_from_https_to_http()
    {
        using var certificate = TestCertificate.Create();
        await using var plain = new FakeServer(_image.Answer);
        await using var registry = new FakeServer(request => FakeAnswer.Redirect($"http://{plain.Authority}{request.Target}"), certificate);

        var failure = await _client.FailToResolveAsync(registry);

        Assert.Equal(ErrorCode.PermissionDenied, failure.Code);
        Assert.Contains("from https to plain http", failure.Message, StringComparison.Ordinal);
        Assert.Empty(plain.Requests);
    }

    private static FakeServer Protected(Func<FakeRequest, FakeAnswer> answer)
        => new(request => request.Authorization == "Basic am86c2VjcmV0" ? answer(request) : FakeAnswer.Challenge("Basic realm=\"test\""));
}
