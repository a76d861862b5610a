using System.Diagnostics;

namespace Candela.Acceptance.Harness;

/// <summary>How long the tests wait for what must happen: far longer than it takes, on a busy machine with emulated VMs, too.</summary>
internal static class Deadlines
{
    /// <summary>An ordinary command.</summary>
    public static readonly TimeSpan Command = TimeSpan.FromMinutes(3);

    /// <summary>The first start of a platform: a kernel may be downloaded, a parent booted.</summary>
    public static readonly TimeSpan FirstStart = TimeSpan.FromMinutes(5);

    /// <summary>Waits until a condition of another process holds, which nothing announces.</summary>
    public static async Task UntilAsync(string what, Func<Task<bool>> holds, TimeSpan? deadline = null)
    {
        var begun = Stopwatch.StartNew();
        while (!await holds())
        {
            Assert.True(begun.Elapsed < (deadline ?? Command), $"{what} did not happen within {(deadline ?? Command).TotalSeconds} s");
            await Task.Delay(TimeSpan.FromMilliseconds(20));
        }
    }

    /// <summary>Waits until a condition of another process holds, which nothing announces.</summary>
    public static Task UntilAsync(string what, Func<bool> holds, TimeSpan? deadline = null) => UntilAsync(what, () => Task.FromResult(holds()), deadline);
}
