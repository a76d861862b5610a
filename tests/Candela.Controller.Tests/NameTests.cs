using Candela.Controller.Tests.Fake;
using Candela.Model;
using static Candela.Controller.Tests.Fake.TestCalls;

namespace Candela.Controller.Tests;

public sealed class NameTests : IAsyncDisposable
{
    private readonly TestHost _host = new();

    public ValueTask DisposeAsync() => _host.DisposeAsync();

    [Fact]
    public async Task Of_many_that_want_a_name_one_gets_it()
    {
        var daemon = await _host.StartDaemonAsync();
        var results = await Task.WhenAll(Enumerable.Range(0, 20).Select(_ => Task.Run(async () =>
        {
            try
            {
                return (await daemon.CreateAsync(name: "wanted")).Id;
            }
            catch (CandelaException e) when (e.Code == ErrorCode.AlreadyExists)
            {
                return e.Message;
            }
        })));
        var winner = Assert.Single(results, result => !result.Contains(' ', StringComparison.Ordinal));
        Assert.All(results.Where(result => result != winner), result => Assert.Equal(
            $"Conflict. The container name \"/wanted\" is already in use by container \"{winner}\". You have to remove (or rename) that container to be able to reuse that name.",
            result));
        Assert.Single(await daemon.ListAsync());
    }

    [Fact]
    public async Task Made_up_names_differ()
    {
        var daemon = await _host.StartDaemonAsync();
        for (var i = 0; i < 50; i++)
            await daemon.CreateAsync();
        var names = (await daemon.ListAsync()).Select(container => container.Name).ToHashSet();
        Assert.Equal(50, names.Count);
        Assert.All(names, static name => Assert.Matches("^[a-z]+_[a-z]+[0-9]*$", name));
    }

    [Fact]
    public async Task A_name_comes_before_an_id_prefix()
    {
        var daemon = await _host.StartDaemonAsync();
        var first = await daemon.CreateAsync();
        var second = await daemon.CreateAsync(name: first.Id[..12]);
        Assert.Equal(second.Id, (await daemon.GetAsync(first.Id[..12])).Id);
        Assert.Equal(first.Id, (await daemon.GetAsync(first.Id)).Id);
        Assert.Equal(first.Id, (await daemon.GetAsync(first.Id[..13])).Id);
    }

    [Fact]
    public async Task An_ambiguous_prefix_is_refused()
    {
        var daemon = await _host.StartDaemonAsync();
        for (var i = 0; i < 17; i++)
            await daemon.CreateAsync();
        var prefix = (await daemon.ListAsync()).GroupBy(container => container.Id[..1]).First(group => group.Count() > 1).Key;
        var failure = await FailsAsync(ErrorCode.InvalidArgument, () => daemon.GetAsync(prefix));
        Assert.Equal($"multiple IDs found with provided prefix: {prefix}", failure.Message);
        await FailsAsync(ErrorCode.NotFound, () => daemon.GetAsync(""));
    }

    [Fact]
    public async Task A_rename_frees_the_former_name_and_holds_over_a_kill()
    {
        var daemon = await _host.StartDaemonAsync();
        var container = await daemon.CreateAsync(name: "old");
        await daemon.CreateAsync(name: "taken");
        await FailsAsync(ErrorCode.AlreadyExists, () => RenameAsync("old", "taken"));
        await FailsAsync(ErrorCode.InvalidArgument, () => RenameAsync("old", "not a name"));
        await FailsAsync(ErrorCode.InvalidArgument, () => RenameAsync("old", "new\n"));
        await RenameAsync("old", "new");
        await FailsAsync(ErrorCode.NotFound, () => daemon.GetAsync("old"));
        await daemon.CreateAsync(name: "old");
        daemon = await _host.StartDaemonAsync();
        Assert.Equal(container.Id, (await daemon.GetAsync("new")).Id);
        Assert.NotEqual(container.Id, (await daemon.GetAsync("old")).Id);

        Task RenameAsync(string reference, string name) => daemon.Containers.RenameAsync(Alice, reference, name, TestContext.Current.CancellationToken);
    }

    [Fact]
    public async Task A_refused_creation_leaves_its_name_free()
    {
        var daemon = await _host.StartDaemonAsync();
        await FailsAsync(ErrorCode.ImageNotFound, () => daemon.CreateAsync(Spec with { Image = "none" }, "web"));
        await FailsAsync(ErrorCode.InvalidArgument, () => daemon.CreateAsync(Spec with { Image = "bare" }, "web"));
        await FailsAsync(ErrorCode.InvalidArgument, () => daemon.CreateAsync(Spec with { MemoryBytes = 1 }, "web"));
        await daemon.CreateAsync(name: "web");
    }
}
