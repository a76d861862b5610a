using Candela.Images.Storage;
using Candela.Model;
using static Candela.Images.Tests.TarImage;

namespace Candela.Images.Tests;

public sealed class PullTests : IDisposable
{
    private readonly TestStore _test = new();
    private readonly TarImage _image;

    public PullTests()
    {
        byte[][] layers = [Tar(File("a")), Tar(File("b"))];
        _image = new TarImage(layers) { Blobs = [.. layers.Select(Gzip)] };
        _test.Source.Add("a:1", _image);
    }

    [Fact]
    public async Task Names_the_image_by_tag_and_by_manifest()
    {
        Image image = await _test.Store.PullAsync("a:1", null, null, Token);
        Assert.Equal(_image.Id, image.Id);
        Assert.Equal(["a:1"], image.Tags);
        Assert.Equal(["a@" + Digests.Of(_image.Manifest)], image.Digests);
        Assert.Equal(_image.Id, (await _test.Store.GetAsync("a@" + Digests.Of(_image.Manifest), Token)).Id);
        Assert.True(image.LastTaggedAt > DateTimeOffset.UnixEpoch);
        Assert.Single(_test.Files("block"));
    }

    [Fact]
    public async Task Reports_in_Dockers_words()
    {
        Progress progress = new();
        await _test.Store.PullAsync("a:1", null, progress, Token);
        string layer = Digests.Short(Digests.Of(_image.Blobs[0]));
        Assert.Equal("Pulling from library/a", progress.Reports[0].Status);
        Assert.Equal("1", progress.Reports[0].Id);
        Assert.Equal(
            ["Pulling fs layer", "Downloading", "Verifying Checksum", "Download complete", "Pull complete"],
            progress.Reports.Where(report => report.Id == layer).Select(static report => report.Status));
        Assert.Equal([$"Digest: {Digests.Of(_image.Manifest)}", "Status: Downloaded newer image for a:1"], progress.Reports.TakeLast(2).Select(static report => report.Status));

        progress.Reports.Clear();
        await _test.Store.PullAsync("a:1", null, progress, Token);
        Assert.Contains(new ImageProgress(layer, "Already exists"), progress.Reports);
        Assert.Equal("Status: Image is up to date for a:1", progress.Reports[^1].Status);
        Assert.Equal(3, _test.Source.Fetched.Count);
    }

    [Fact]
    public async Task By_digest_sets_no_tag()
    {
        string reference = "a@" + Digests.Of(_image.Manifest);
        _test.Source.Add(reference, _image);
        Assert.Empty((await _test.Store.PullAsync(reference, null, null, Token)).Tags);
    }

    [Fact]
    public async Task A_moved_tag_leaves_the_old_image_without_it()
    {
        await _test.Store.PullAsync("a:1", null, null, Token);
        TarImage newer = new(Tar(File("new")));
        _test.Source.Add("a:1", newer);
        Assert.Equal(newer.Id, (await _test.Store.PullAsync("a:1", null, null, Token)).Id);
        Assert.Empty((await _test.Store.GetAsync(_image.Id, Token)).Tags);
    }

    [Fact]
    public async Task The_same_reference_is_pulled_once_for_all_who_ask()
    {
        TaskCompletionSource go = new();
        TaskCompletionSource reached = new();
        _test.Source.BeforeFetch = (_, stop) =>
        {
            reached.TrySetResult();
            return go.Task.WaitAsync(stop);
        };
        Progress[] progress = [.. Enumerable.Range(0, 5).Select(static _ => new Progress())];
        Task<Image>[] pulls = [.. progress.Select(one => _test.Store.PullAsync("a:1", null, one, Token))];
        await reached.Task;
        go.SetResult();
        Assert.All(await Task.WhenAll(pulls), image => Assert.Equal(_image.Id, image.Id));
        Assert.Equal(3, _test.Source.Fetched.Count);
        Assert.All(progress, static one => Assert.StartsWith("Status: ", one.Reports[^1].Status, StringComparison.Ordinal));
    }

    [Fact]
    public async Task Who_gives_up_does_not_stop_the_others_and_the_last_one_does()
    {
        TaskCompletionSource reached = new();
        TaskCompletionSource stopped = new();
        _test.Source.BeforeFetch = async (_, stop) =>
        {
            reached.TrySetResult();
            try
            {
                await Task.Delay(Timeout.Infinite, stop);
            }
            finally
            {
                stopped.TrySetResult();
            }
        };
        using CancellationTokenSource first = new();
        using CancellationTokenSource second = new();
        Task<Image> one = _test.Store.PullAsync("a:1", null, null, first.Token);
        Task<Image> two = _test.Store.PullAsync("a:1", null, null, second.Token);
        await reached.Task;
        await first.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => one);
        Assert.False(stopped.Task.IsCompleted);
        await second.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => two);
        await stopped.Task;

        _test.Source.BeforeFetch = static (_, _) => Task.CompletedTask;
        Assert.Equal(_image.Id, (await _test.Store.PullAsync("a:1", null, null, Token)).Id);
    }

    [Fact]
    public async Task Different_images_with_a_common_layer_fetch_it_once()
    {
        TarImage other = new(_image.Layers[0]) { Blobs = [_image.Blobs[0]] };
        _test.Source.Add("b", other);
        await Task.WhenAll(_test.Store.PullAsync("a:1", null, null, Token), _test.Store.PullAsync("b", null, null, Token));
        Assert.Equal(4, _test.Source.Fetched.Count);
    }

    [Fact]
    public async Task What_is_downloaded_stays_for_the_next_attempt_when_the_registry_fails()
    {
        string last = Digests.Of(_image.Blobs[1]);
        string first = Digests.Of(_image.Blobs[0]);
        _test.Source.BeforeFetch = async (blob, stop) =>
        {
            if (blob.Digest != last)
                return;
            while (!System.IO.File.Exists(Path.Combine(_test.Folder, "blobs/sha256", Digests.Hex(first))))
                await Task.Delay(1, stop);
            throw new CandelaException(ErrorCode.Unavailable, "the registry does not answer");
        };
        CandelaException e = await Assert.ThrowsAsync<CandelaException>(() => _test.Store.PullAsync("a:1", null, null, Token));
        Assert.Equal("the registry does not answer", e.Message);
        _test.Source.BeforeFetch = static (_, _) => Task.CompletedTask;
        _test.Source.Fetched.Clear();
        await _test.Store.PullAsync("a:1", null, null, Token);
        Assert.Equal([last], _test.Source.Fetched);
    }

    [Fact]
    public async Task A_wrong_diff_id_is_refused()
    {
        _test.Source.Add("a:1", new TarImage(_image.Layers) { Blobs = [_image.Blobs[0], Gzip(Tar(File("c")))] });
        CandelaException e = await Assert.ThrowsAsync<CandelaException>(() => _test.Store.PullAsync("a:1", null, null, Token));
        Assert.Equal(ErrorCode.ImageInvalid, e.Code);
        Assert.Empty(_test.Files("blobs/sha256"));
        Assert.Empty(_test.Files("block"));
    }

    public void Dispose() => _test.Dispose();

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    private sealed class Progress : IProgress<ImageProgress>
    {
        public List<ImageProgress> Reports { get; } = [];

        public void Report(ImageProgress value)
        {
            lock (Reports)
                Reports.Add(value);
        }
    }
}
