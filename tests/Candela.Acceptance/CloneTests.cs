using System.Globalization;

namespace Candela.Acceptance;

/// <summary>Clones of one parent: alike in everything but who they are.</summary>
public sealed class CloneTests(Platform platform)
{
    private const int Count = 100;
    private const int AtOnce = 10;

    [Fact]
    public async Task Hundred_clones_have_entropy_names_and_clocks_of_their_own()
    {
        var identities = new List<string[]>();
        for (var batch = 0; batch < Count / AtOnce; batch++)
            identities.AddRange(await Task.WhenAll(Enumerable.Range(0, AtOnce).Select(_ => IdentityAsync())));
        string[] names = ["random bytes", "uuid", "machine id", "host name"];
        for (var column = 0; column < names.Length; column++)
            Assert.True(identities.Select(lines => lines[column]).Distinct().Count() == Count, $"two clones have the same {names[column]}");
        Assert.All(identities, lines => Assert.Matches("^[0-9a-f]{32}$", lines[2]));
    }

    [Fact]
    public async Task Random_numbers_of_a_clone_go_on_differently_after_the_first()
    {
        var streams = await Task.WhenAll(Enumerable.Range(0, 4).Select(async _ => (await platform.ShellAsync("head -c 4096 /dev/urandom | xxd -p -c 16")).Lines));
        Assert.Equal(4 * 256, streams.SelectMany(lines => lines).Distinct().Count());
    }

    private async Task<string[]> IdentityAsync()
    {
        var begun = DateTimeOffset.UtcNow;
        var lines = (await platform.ShellAsync("head -c 16 /dev/urandom | xxd -p; cat /proc/sys/kernel/random/uuid /etc/machine-id; hostname; date +%s")).Lines;
        var clock = DateTimeOffset.FromUnixTimeSeconds(long.Parse(lines[4], CultureInfo.InvariantCulture));
        Assert.InRange(clock, begun.AddSeconds(-2), DateTimeOffset.UtcNow.AddSeconds(2));
        return lines;
    }
}
