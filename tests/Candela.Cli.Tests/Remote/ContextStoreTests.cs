using Candela.Cli.CommandLine;
using Candela.Cli.Remote;
using Candela.Tests.Shared;

namespace Candela.Cli.Tests.Remote;

public sealed class ContextStoreTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();
    private readonly ContextStore _store;

    public ContextStoreTests() => _store = new ContextStore(_folder.File("candela"));

    [Fact]
    public void What_is_saved_is_found_by_its_user_alone()
    {
        Assert.Empty(_store.Names);
        Assert.Null(_store.Current);
        _store.Save("there", new SavedContext { Url = "https://candela.example:8443", RefreshToken = "secret" });
        _store.Use("there");
        Assert.Equal(("there", "secret", "there"), (_store.Current, _store.Get("there").RefreshToken, _store.NameOf("https://candela.example:8443")));
        const UnixFileMode Private = UnixFileMode.UserRead | UnixFileMode.UserWrite;
        Assert.Equal(Private, File.GetUnixFileMode(_folder.File("candela/contexts/there.json")));
        Assert.Equal(Private | UnixFileMode.UserExecute, File.GetUnixFileMode(_folder.File("candela/contexts")));

        _store.Remove("there");
        Assert.Null(_store.Current);
        Assert.Throws<InvalidOperationException>(() => _store.Get("there"));
    }

    [Fact]
    public void A_file_that_others_can_read_or_that_is_damaged_is_refused()
    {
        _store.Save("there", new SavedContext { Url = "https://candela.example" });
        string file = _folder.File("candela/contexts/there.json");
        File.SetUnixFileMode(file, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.GroupRead);
        Assert.Contains("chmod 600", Assert.Throws<InvalidOperationException>(() => _store.Find("there")).Message, StringComparison.Ordinal);
        File.SetUnixFileMode(file, UnixFileMode.UserRead | UnixFileMode.UserWrite);
        File.WriteAllText(file, "{");
        Assert.Contains("damaged", Assert.Throws<InvalidOperationException>(() => _store.Find("there")).Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("")]
    [InlineData("local")]
    [InlineData("../there")]
    [InlineData(".there")]
    [InlineData("a/b")]
    public void A_name_is_no_path(string name) => Assert.Throws<UsageException>(() => _store.Find(name));

    [Fact]
    public async Task Whoever_wants_the_lock_waits()
    {
        var other = new ContextStore(_folder.File("candela"));
        Task second;
        bool isFree = false;
        using (_store.Lock())
        {
            second = Task.Run(() =>
            {
                using (other.Lock())
                    Assert.True(Volatile.Read(ref isFree));
            }, TestContext.Current.CancellationToken);
            Volatile.Write(ref isFree, true);
        }

        await second;
    }

    public void Dispose() => _folder.Dispose();
}
