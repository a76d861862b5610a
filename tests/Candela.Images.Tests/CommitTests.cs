using System.Text;
using Candela.Model;
using static Candela.Images.Tests.TarImage;

namespace Candela.Images.Tests;

/// <summary>Images made of another one and a layer.</summary>
public sealed class CommitTests : IDisposable
{
    private readonly TestStore _test = new();

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    public void Dispose() => _test.Dispose();

    [Fact]
    public async Task The_new_image_has_both_layers_and_their_history()
    {
        Image below = await _test.Store.ImportAsync(new MemoryStream(Tar(File("kept"), File("gone"))), "below", new ImageConfiguration { Command = ["a"] }, Token);

        Image image = await _test.Store.CommitAsync(below.Id, new MemoryStream(Tar(File("new"), File(".wh.gone"))), Commit("above"), Token);

        Assert.Equal([.. below.DiffIds, image.DiffIds[1]], image.DiffIds);
        Assert.Equal(["above:latest"], image.Tags);
        Assert.Equal(("me", "why"), (image.Author, image.Comment));
        Assert.Equal(["b"], image.Configuration.Command!);
        Assert.Equal(["Imported from -", "why"], image.History.Select(step => step.Comment));
        Assert.Equal("the command", image.History[1].CreatedBy);
        Assert.All(image.History, step => Assert.True(step.LayerBytes > 0));
        using BlockImageLease lease = await _test.Store.OpenBlockImageAsync(image.Id, Token);
        Assert.True(System.IO.File.Exists(lease.Path));
    }

    [Fact]
    public async Task A_layer_that_is_no_tar_leaves_nothing()
    {
        Image below = await _test.Store.ImportAsync(new MemoryStream(Tar(File("kept"))), "below", new ImageConfiguration(), Token);

        CandelaException failure = await Assert.ThrowsAsync<CandelaException>(() => _test.Store.CommitAsync(below.Id, new MemoryStream(Encoding.ASCII.GetBytes("cut off")), Commit("above"), Token));

        Assert.Equal(ErrorCode.ImageInvalid, failure.Code);
        Assert.Equal(below.Id, Assert.Single(await _test.Store.ListAsync(Token)).Id);
        Assert.Equal(ErrorCode.ImageNotFound, (await Assert.ThrowsAsync<CandelaException>(() => _test.Store.CommitAsync("sha256:" + new string('0', 64), Stream.Null, Commit(null), Token))).Code);
    }

    private static ImageCommit Commit(string? reference) => new()
    {
        Reference = reference, Author = "me", Comment = "why", CreatedBy = "the command", Configuration = new ImageConfiguration { Command = ["b"] },
    };
}
