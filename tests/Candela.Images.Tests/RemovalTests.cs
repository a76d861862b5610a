using Candela.Images.Storage;
using Candela.Model;
using static Candela.Images.Tests.TarImage;

namespace Candela.Images.Tests;

public sealed class RemovalTests : IDisposable
{
    private readonly TestStore _test = new();
    private readonly TarImage _image = new(Tar(File("a")));
    private readonly List<string> _events = [];

    public RemovalTests()
    {
        _test.Source.Add("a:1", _image);
        _test.Store.Changed += change => _events.Add($"{change.Action} {change.Name}");
    }

    [Fact]
    public async Task The_last_tag_takes_digests_image_and_content_with_it()
    {
        await PullAsync();
        IReadOnlyList<ImageRemoval> removals = await RemoveAsync("a:1");
        Assert.Equal([new("a:1", null), new("a@" + Digests.Of(_image.Manifest), null), new(null, _image.Id)], removals);
        Assert.Equal(["pull a:1", "untag a:1", "untag a@" + Digests.Of(_image.Manifest), "delete " + _image.Id], _events);
        Assert.Empty(_test.Files("blobs/sha256"));
        Assert.Empty(_test.Files("block"));
    }

    [Fact]
    public async Task A_tag_of_several_goes_alone()
    {
        await PullAsync();
        await _test.Store.TagAsync("a:1", "b", Token);
        Assert.Equal([new("b:latest", null)], await RemoveAsync("b", use: ImageUse.Stopped));
        Assert.Equal(["a:1"], (await _test.Store.GetAsync(_image.Id, Token)).Tags);
    }

    [Fact]
    public async Task By_id_all_names_of_one_repository_go()
    {
        await PullAsync();
        IReadOnlyList<ImageRemoval> removals = await RemoveAsync(Digests.Short(_image.Id));
        Assert.Equal(_image.Id, removals[^1].Deleted);
        Assert.Equal(3, removals.Count);
    }

    [Fact]
    public async Task By_id_an_image_of_several_repositories_goes_by_force_only()
    {
        await PullAsync();
        await _test.Store.TagAsync("a:1", "b", Token);
        CandelaException e = await Assert.ThrowsAsync<CandelaException>(() => RemoveAsync(_image.Id));
        Assert.Equal(ErrorCode.Conflict, e.Code);
        Assert.Equal($"conflict: unable to delete {Digests.Short(_image.Id)} (must be forced) - image is referenced in multiple repositories", e.Message);
        Assert.Equal(4, (await RemoveAsync(_image.Id, force: true)).Count);
    }

    [Theory]
    [InlineData("a:1", false, ImageUse.Stopped, "conflict: unable to remove repository reference \"a:1\" (must force) - a container is using its referenced image ID")]
    [InlineData("a:1", false, ImageUse.Running, "conflict: unable to remove repository reference \"a:1\" (must force) - a container is using its referenced image ID")]
    [InlineData("ID", false, ImageUse.Stopped, "conflict: unable to delete ID (must be forced) - image is being used by stopped container")]
    [InlineData("ID", false, ImageUse.Running, "conflict: unable to delete ID (cannot be forced) - image is being used by running container")]
    [InlineData("ID", true, ImageUse.Running, "conflict: unable to delete ID (cannot be forced) - image is being used by running container")]
    internal async Task A_used_image_is_kept(string reference, bool force, ImageUse use, string message)
    {
        await PullAsync();
        string id = Digests.Short(_image.Id);
        CandelaException e = await Assert.ThrowsAsync<CandelaException>(() => RemoveAsync(reference.Replace("ID", id), force, use));
        Assert.Equal(ErrorCode.Conflict, e.Code);
        Assert.Equal(message.Replace("ID", id), e.Message);
        Assert.Equal(["a:1"], (await _test.Store.GetAsync(_image.Id, Token)).Tags);
    }

    [Fact]
    public async Task By_force_a_running_containers_image_loses_its_names_only()
    {
        await PullAsync();
        Assert.DoesNotContain(await RemoveAsync("a:1", force: true, ImageUse.Running), static removal => removal.Deleted is not null);
        Image dangling = Assert.Single(await _test.Store.ListAsync(Token));
        Assert.Empty(dangling.Tags);
        Assert.Empty(dangling.Digests);
    }

    [Fact]
    public async Task By_force_a_stopped_containers_image_goes()
    {
        await PullAsync();
        Assert.Contains(await RemoveAsync("a:1", force: true, ImageUse.Stopped), static removal => removal.Deleted is not null);
    }

    [Fact]
    public async Task What_is_not_there_is_not_found()
    {
        CandelaException e = await Assert.ThrowsAsync<CandelaException>(() => RemoveAsync("absent"));
        Assert.Equal(ErrorCode.ImageNotFound, e.Code);
        Assert.Equal("No such image: absent:latest", e.Message);
    }

    [Fact]
    public async Task A_layer_that_another_image_has_stays()
    {
        TarImage other = new(_image.Layers[0], Tar(File("b")));
        _test.Source.Add("b", other);
        await PullAsync();
        await _test.Store.PullAsync("b", null, null, Token);
        await RemoveAsync("a:1");
        Assert.Equal(3, _test.Files("blobs/sha256").Count());
        Assert.Single(_test.Files("block"));
        (await _test.Store.OpenBlockImageAsync(other.Id, Token)).Dispose();
    }

    public void Dispose() => _test.Dispose();

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    private Task<Image> PullAsync() => _test.Store.PullAsync("a:1", null, null, Token);

    private async Task<IReadOnlyList<ImageRemoval>> RemoveAsync(string reference, bool force = false, ImageUse use = ImageUse.None)
    {
        using BlockImageLease? lease = use == ImageUse.Running ? await _test.Store.OpenBlockImageAsync(_image.Id, Token) : null;
        return await _test.Store.RemoveAsync(reference, force, id => id == _image.Id && use != ImageUse.None, Token);
    }
}
