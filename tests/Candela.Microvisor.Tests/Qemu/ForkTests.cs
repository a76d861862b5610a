using System.Globalization;

namespace Candela.Microvisor.Tests.Qemu;

/// <summary>Forks of running micro-VMs.</summary>
[Collection("qemu")]
public sealed class ForkTests(QemuHost host)
{
    // Prints its own random word (once read, only its memory knows it) and counts.
    private const string Counter = "word=$(head -c 8 /dev/urandom | hexdump -v -e '/1 \"%02x\"'); i=0; while true; do echo $word $i; i=$((i+1)); sleep 0.02; done";

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_fork_and_its_fork_keep_the_memory_of_a_running_process()
    {
        IMicroVm source = await host.CloneAsync();
        await using GuestSession original = await GuestSession.RunAsync(source, Counter);
        (string word, int before) = Last(await original.UntilAsync(o => Lines(o).Count > 5));

        (IMicroVm fork, GuestSession session) = await ForkAsync(source, "fork");
        await using GuestSession first = session;
        (string Word, int Number) inherited = First(await first.UntilAsync(o => Lines(o).Count > 3));
        (IMicroVm second, GuestSession next) = await ForkAsync(fork, "second");
        await using GuestSession grandchild = next;
        (string Word, int Number) inheritedAgain = First(await grandchild.UntilAsync(o => Lines(o).Count > 3));

        Assert.Equal((word, word), (inherited.Word, inheritedAgain.Word));
        Assert.InRange(inherited.Number, before + 1, int.MaxValue);
        Assert.InRange(inheritedAgain.Number, inherited.Number + 1, int.MaxValue);
        int seen = Lines(original.Output).Count;
        await original.UntilAsync(o => Lines(o).Count > seen + 3);
        Assert.Equal(Enumerable.Range(0, seen), Lines(original.Output).Take(seen).Select(l => l.Number)); // the source has lost nothing
        await Task.WhenAll(source.KillAsync(Token), fork.KillAsync(Token), second.KillAsync(Token));
    }

    [Fact]
    public async Task Forks_have_disks_names_and_random_bytes_of_their_own()
    {
        IMicroVm source = await host.CloneAsync();
        string script = "echo kept > /file; sync; echo ready; while [ ! -e /go ]; do sleep 0.02; done; cat /file; hostname; head -c 16 /dev/urandom | hexdump -v -e '/1 \"%02x\"'; echo; echo end";
        await using GuestSession original = await GuestSession.RunAsync(source, script, "source");
        await original.UntilAsync(o => o.Contains("ready", StringComparison.Ordinal));
        CloneSpec[] specs = [host.NewSpec(), host.NewSpec()];

        ForkResult result = await host.Driver.ForkAsync(source, specs, CopyAsync(source, specs), Token);
        GuestSession[] sessions = [original, await ResumeAsync(result.Forks[0], "left"), await ResumeAsync(result.Forks[1], "right")];
        string[][] outputs = await Task.WhenAll(sessions.Select(GoAsync));

        Assert.Equal(["source", "left", "right"], outputs.Select(o => o[1]));
        Assert.All(outputs, o => Assert.Equal("kept", o[0]));
        Assert.Equal(3, outputs.Select(o => o[2]).Distinct().Count());
        Assert.Equal(3, result.Forks.Append(source).Select(f => f.Record.UserId).Distinct().Count());
        Assert.True(result.SourcePause > TimeSpan.Zero);
        foreach (GuestSession session in sessions)
            await session.DisposeAsync();
        await Task.WhenAll(result.Forks.Append(source).Select(vm => vm.KillAsync(Token)));
    }

    [Fact]
    public async Task A_fork_that_fails_lets_its_source_go_on_and_leaves_nothing()
    {
        IMicroVm source = await host.CloneAsync();
        await using GuestSession original = await GuestSession.RunAsync(source, Counter);
        int running = Directory.GetDirectories(host.RunFolder).Length;

        await Assert.ThrowsAnyAsync<Exception>(() => host.Driver.ForkAsync(source, [host.NewSpec()], _ => throw new IOException("the disk is full"), Token));
        await Assert.ThrowsAnyAsync<Exception>(() => host.Driver.ForkAsync(source, [host.NewSpec(), host.NewSpec() with { ImagePath = "/no/such/image" }], _ => Task.CompletedTask, Token));

        Assert.InRange(Directory.GetDirectories(host.RunFolder).Length, 1, running + 1); // one VMM may have been made for the next claim
        int seen = Lines(original.Output).Count;
        await original.UntilAsync(o => Lines(o).Count > seen + 3);
        await source.KillAsync(Token);
    }

    private static async Task<GuestSession> ResumeAsync(IMicroVm fork, string hostname) => await GuestSession.ResumeAsync(fork, GuestSession.NewIdentity(hostname));

    private static Func<CancellationToken, Task> CopyAsync(IMicroVm source, CloneSpec[] forks) => _ =>
    {
        foreach (CloneSpec fork in forks)
            QemuHost.Run("cp", "--sparse=always", source.Record.ScratchPath!, fork.ScratchPath!);
        return Task.CompletedTask;
    };

    private static async Task<string[]> GoAsync(GuestSession session)
    {
        await session.Agent.WriteArchiveAsync("/", Archives.WithFile("go"), noOverwriteDirNonDir: false, Token);
        string output = await session.UntilAsync(o => o.Contains("end\n", StringComparison.Ordinal));
        return output[output.IndexOf("kept", StringComparison.Ordinal)..].Split('\n');
    }

    private static List<(string Word, int Number)> Lines(string output)
    {
        // The first line of a fork may be the rest of one that the source began, the last one may be unfinished.
        string[] lines = output.Split('\n');
        return [.. lines.SkipLast(1).Select(l => l.Split(' ')).Where(f => f is [{ Length: 16 }, _]).Select(f => (f[0], int.Parse(f[1], CultureInfo.InvariantCulture)))];
    }

    private static (string Word, int Number) First(string output) => Lines(output)[0];

    private static (string Word, int Number) Last(string output) => Lines(output)[^1];

    private async Task<(IMicroVm Fork, GuestSession Session)> ForkAsync(IMicroVm source, string hostname)
    {
        CloneSpec[] specs = [host.NewSpec()];
        ForkResult result = await host.Driver.ForkAsync(source, specs, CopyAsync(source, specs), Token);
        IMicroVm fork = Assert.Single(result.Forks);
        return (fork, await ResumeAsync(fork, hostname));
    }
}
