using Candela.Model;

namespace Candela.Images.Tests.Registry;

public sealed class BlobDownloadTests
{
    private const int LayerLength = 400_000;
    private readonly FakeImage _image = new(LayerLength);

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Continues_where_the_connection_broke(bool reset)
    {
        await using var server = new FakeServer(request =>
        {
            var answer = _image.Answer(request);
            return request.Target == _image.LayerPath && request.RangeStart < 300_000 ? answer.BrokenAfter(100_000) with { Reset = reset } : answer;
        });
        using var client = new RegistryClient();
        var progress = new ProgressLog();

        Assert.Equal(_image.Layer, await client.FetchLayerAsync(server, progress: progress));

        Assert.Equal(LayerLength, progress.Values[^1]);
        Assert.Equal(progress.Values.Order(), progress.Values);
        if (!reset)
            Assert.Equal([0, 100_000, 200_000, 300_000], server.Requests.Where(r => r.Target == _image.LayerPath).Select(r => r.RangeStart));
    }

    [Fact]
    public async Task Gives_up_when_the_connection_breaks_without_a_further_byte_and_keeps_the_partial_file()
    {
        await using var server = new FakeServer(request =>
        {
            var answer = _image.Answer(request);
            return request.Target == _image.LayerPath ? answer.BrokenAfter(request.RangeStart == 0 ? 1000 : 0) : answer;
        });
        using var client = new RegistryClient();

        var failure = await client.FailToFetchLayerAsync(server);

        Assert.Equal(ErrorCode.Unavailable, failure.Code);
        Assert.Equal(_image.Layer[..1000], File.ReadAllBytes(client.FilePath));
        Assert.Equal(RegistryClient.Impatient.Attempts, server.Requests.Count(r => r.Target == _image.LayerPath));
    }

    [Fact]
    public async Task Gives_up_after_so_many_attempts_even_if_each_brings_a_byte()
    {
        await using var server = new FakeServer(request => request.Target == _image.LayerPath ? _image.Answer(request).BrokenAfter(1) : _image.Answer(request));
        using var client = new RegistryClient(RegistryClient.Impatient with { LayerAttempts = 7 });

        Assert.Equal(ErrorCode.Unavailable, (await client.FailToFetchLayerAsync(server)).Code);

        Assert.Equal(7, server.Requests.Count(r => r.Target == _image.LayerPath));
    }

    [Fact]
    public async Task Begins_anew_when_the_registry_knows_no_ranges()
    {
        await using var server = new FakeServer(request =>
        {
            if (request.Target != _image.LayerPath)
                return _image.Answer(request);
            var whole = new FakeAnswer { Body = _image.Layer };
            return request.RangeStart == 0 ? whole.BrokenAfter(200_000) : whole;
        });
        using var client = new RegistryClient();

        Assert.Equal(_image.Layer, await client.FetchLayerAsync(server));
    }

    [Fact]
    public async Task Begins_anew_when_the_registry_sends_another_range_or_refuses_it()
    {
        foreach (var status in (int[])[206, 416])
        {
            await using var server = new FakeServer(request => request.Target != _image.LayerPath || request.RangeStart == 0
                ? _image.Answer(request)
                : new FakeAnswer { Status = status, Headers = [("Content-Range", status == 206 ? $"bytes 7-8/{LayerLength}" : $"bytes */{LayerLength}")], Body = [1, 2] });
            using var client = new RegistryClient();
            File.WriteAllBytes(client.FilePath, _image.Layer[..5000]);

            Assert.Equal(_image.Layer, await client.FetchLayerAsync(server));
        }
    }

    [Fact]
    public async Task Continues_after_silence()
    {
        await using var server = new FakeServer(request =>
        {
            var answer = _image.Answer(request);
            return request.Target == _image.LayerPath && request.RangeStart == 0 ? answer.BrokenAfter(100_000) with { Silent = true } : answer;
        });
        using var client = new RegistryClient(RegistryClient.Impatient with { IdleTimeout = TimeSpan.FromMilliseconds(300) });

        Assert.Equal(_image.Layer, await client.FetchLayerAsync(server));
    }

    [Fact]
    public async Task Tries_again_when_the_registry_is_overloaded()
    {
        var refusals = 0;
        await using var server = new FakeServer(request => Interlocked.Increment(ref refusals) switch
        {
            1 => FakeAnswer.Error(503, "UNAVAILABLE", "later"),
            2 => FakeAnswer.Error(429, "TOOMANYREQUESTS", "slower") with { Headers = [("Retry-After", "0")] },
            4 => new FakeAnswer { Status = 502 },
            _ => _image.Answer(request),
        });
        using var client = new RegistryClient();

        Assert.Equal(_image.Layer, await client.FetchLayerAsync(server));
    }

    [Fact]
    public async Task Does_not_wait_when_the_registry_asks_for_too_long_a_pause()
    {
        await using var server = new FakeServer(_ => FakeAnswer.Error(429, "TOOMANYREQUESTS", "You have reached your pull rate limit") with { Headers = [("Retry-After", "21600")] });
        using var client = new RegistryClient();

        var failure = await client.FailToResolveAsync(server);

        Assert.Equal(ErrorCode.Unavailable, failure.Code);
        Assert.Contains("toomanyrequests: You have reached your pull rate limit", failure.Message, StringComparison.Ordinal);
        Assert.Single(server.Requests);
    }

    [Fact]
    public async Task Downloads_three_layers_at_a_time()
    {
        using var allThere = new Barrier(3);
        await using var server = new FakeServer(request =>
        {
            // Each answer waits until all three are asked for.
            if (request.Target == _image.LayerPath && !allThere.SignalAndWait(TimeSpan.FromSeconds(20)))
                return FakeAnswer.Error(400, "UNSUPPORTED", "not at the same time");
            return _image.Answer(request);
        });
        using var client = new RegistryClient();
        await using var image = await client.ResolveAsync(server);
        string[] paths = [client.FilePath + 1, client.FilePath + 2, client.FilePath + 3];

        await Task.WhenAll(paths.Select(path => image.FetchAsync(image.Layers[0], path, null, TestContext.Current.CancellationToken)));

        Assert.All(paths, path => Assert.Equal(_image.Layer, File.ReadAllBytes(path)));
    }

    [Fact]
    public async Task Ends_when_cancelled_and_keeps_the_partial_file()
    {
        await using var server = new FakeServer(request =>
        {
            var answer = _image.Answer(request);
            return request.Target == _image.LayerPath ? answer.BrokenAfter(100_000) with { Silent = true } : answer;
        });
        using var client = new RegistryClient();
        await using var image = await client.ResolveAsync(server);
        using var cancellation = new CancellationTokenSource();
        var progress = new CallbackProgress(_ =>
        {
            if (File.Exists(client.FilePath))
                cancellation.Cancel();
        });

        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => image.FetchAsync(image.Layers[0], client.FilePath, progress, cancellation.Token));

        Assert.True(File.Exists(client.FilePath));
    }

    private sealed class CallbackProgress(Action<long> report) : IProgress<long>
    {
        public void Report(long value) => report(value);
    }
}
