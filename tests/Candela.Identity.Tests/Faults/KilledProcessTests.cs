using System.Diagnostics;
using System.Globalization;
using Candela.Identity.Accounts;
using Candela.Identity.Authorization;
using Candela.State.Sqlite;
using Candela.Tests.Shared;

namespace Candela.Identity.Tests.Faults;

/// <summary>A process that makes changes is killed in the midst of them: what it was told is done is done, and nothing is half done.</summary>
public sealed class KilledProcessTests
{
    private const string FolderVariable = "CANDELA_TEST_VICTIM_FOLDER";
    private const int WorkerCount = 16;
    private const int StepCount = 6;

    private static readonly TimeSpan Deadline = TimeSpan.FromSeconds(120);

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task After_kill_9_in_a_thousand_changes_none_is_half_made_and_no_acknowledged_one_is_lost()
    {
        int acknowledged = 0;
        for (int round = 0; acknowledged < 1000; round++)
        {
            using var folder = new TemporaryFolder();
            await RunVictimAsync(folder, changes: 150 + 100 * round);
            await using var store = SqliteStateStore.Open(folder.File("state.db"), TimeProvider.System);
            await Invariants.CheckAsync(store);
            await using var identity = await IdentityFixture.StartAsync(folder.Path, store);
            var steps = ReadAcknowledged(folder);
            foreach (var (name, step) in steps)
                Assert.True(IsAt(identity, name, step) || IsAt(identity, name, step + 1), $"{name}, whose change {step} was acknowledged, is in another state");
            acknowledged += steps.Values.Sum(step => step + 1);
        }
    }

    /// <summary>Not a test of its own: what the killed process runs.</summary>
    [Fact(Explicit = true)]
    public async Task Victim()
    {
        var folder = Environment.GetEnvironmentVariable(FolderVariable) ?? throw new InvalidOperationException($"{FolderVariable} is not set");
        await using var store = SqliteStateStore.Open(Path.Combine(folder, "state.db"), TimeProvider.System);
        await using var identity = await IdentityFixture.StartAsync(folder, store);
        var group = await identity.AddGroupAsync("everybody");
        using var acknowledged = new FileStream(Path.Combine(folder, "acknowledged"), FileMode.Append, FileAccess.Write, FileShare.Read, bufferSize: 0);
        await Task.WhenAll(Enumerable.Range(0, WorkerCount).Select(async worker =>
        {
            for (int i = 0; ; i++)
            {
                for (int step = 0; step < StepCount; step++)
                {
                    await DoAsync(identity, group, $"u{worker}-{i}", step);
                    lock (acknowledged)
                        acknowledged.Write(System.Text.Encoding.ASCII.GetBytes($"u{worker}-{i} {step}\n"));
                }
            }
        }));
    }

    private static async Task DoAsync(IdentityFixture identity, Group group, string name, int step)
    {
        var user = (User?)(identity.Directory.Current.Find(identity.SystemId, name) ?? identity.Directory.Current.Find(identity.SystemId, name + "-renamed"));
        switch (step)
        {
            case 0:
                await identity.Credentials.CreateAsync(new User { DomainId = identity.SystemId, Name = name }, "correct horse battery", mustChange: true, Token);
                break;
            case 1:
                await identity.Directory.AddMemberAsync(group.Id, user!.Id, Token);
                break;
            case 2:
                await identity.Directory.UpdateAsync(user! with { Name = name + "-renamed" }, Token);
                break;
            case 3:
                await identity.Get<IAccessPolicy>().BindAsync(new RoleBinding { Subject = Subject.Entry(user!.Id), RoleId = BuiltInRoles.Viewer.Id, Scope = ResourceScope.System }, Token);
                break;
            case 4:
                await identity.Credentials.SetPasswordAsync(user!.Id, "staple and something", mustChange: false, Token);
                break;
            case 5:
                await identity.Directory.DeleteAsync(user!.Id, null, Token);
                break;
        }
    }

    private static bool IsAt(IdentityFixture identity, string name, int step)
    {
        var current = identity.Directory.Current;
        if (step >= 5)
            return current.Find(identity.SystemId, name) is null && current.Find(identity.SystemId, name + "-renamed") is null;
        if (current.Find(identity.SystemId, step >= 2 ? name + "-renamed" : name) is not { } user)
            return false;
        bool member = current.GroupsOf(user.Id).Count == 1;
        bool bound = identity.Get<IAccessPolicy>().Current.BindingsOf(Subject.Entry(user.Id)).Any();
        bool mustChange = identity.Credentials.GetStatusAsync(user.Id, Token).GetAwaiter().GetResult() is { HasPassword: true, MustChangePassword: true };
        return member == step >= 1 && bound == step >= 3 && mustChange == step < 4;
    }

    private static Dictionary<string, int> ReadAcknowledged(TemporaryFolder folder)
    {
        var steps = new Dictionary<string, int>();
        foreach (var line in File.ReadAllText(folder.File("acknowledged")).Split('\n')[..^1]) // the last one may be torn
        {
            var parts = line.Split(' ');
            steps[parts[0]] = int.Parse(parts[1], CultureInfo.InvariantCulture);
        }

        return steps;
    }

    private static async Task RunVictimAsync(TemporaryFolder folder, int changes)
    {
        var start = new ProcessStartInfo(Environment.ProcessPath!, ["--filter-method", $"{typeof(KilledProcessTests).FullName}.{nameof(Victim)}", "--explicit", "only", "--results-directory", folder.Path])
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        start.Environment[FolderVariable] = folder.Path;
        using var victim = Process.Start(start)!;
        try
        {
            var clock = Stopwatch.StartNew();
            while (!File.Exists(folder.File("acknowledged")) || File.ReadLines(folder.File("acknowledged")).Count() < changes)
            {
                Assert.False(victim.HasExited, victim.HasExited ? await victim.StandardOutput.ReadToEndAsync(Token) : "");
                Assert.InRange(clock.Elapsed, TimeSpan.Zero, Deadline);
                await Task.Delay(20, Token);
            }
        }
        finally
        {
            victim.Kill();
            await victim.WaitForExitAsync(Token);
        }
    }
}
