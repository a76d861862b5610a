using System.Diagnostics;
using System.Globalization;

namespace Candela.Vmm.Tests.Fuzz;

/// <summary>How long each fuzz target runs: CANDELA_FUZZ_SECONDS, or two seconds. A failure names the seed that repeats it.</summary>
internal static class FuzzTime
{
    public static void Run(Action<Random> target)
    {
        int seconds = int.TryParse(Environment.GetEnvironmentVariable("CANDELA_FUZZ_SECONDS"), CultureInfo.InvariantCulture, out int value) ? value : 2;
        int seed = int.TryParse(Environment.GetEnvironmentVariable("CANDELA_FUZZ_SEED"), CultureInfo.InvariantCulture, out int given) ? given : Environment.TickCount & 0x7FFF_0000;
        Stopwatch clock = Stopwatch.StartNew();
        int count = 0;
        do
        {
            try
            {
                target(new Random(seed));
            }
            catch (Exception e)
            {
                throw new InvalidOperationException($"input {count} failed; repeat it with CANDELA_FUZZ_SEED={seed}", e);
            }

            seed++;
            count++;
        }
        while (clock.Elapsed.TotalSeconds < seconds);
        TestContext.Current.SendDiagnosticMessage($"{count} inputs in {clock.Elapsed.TotalSeconds:F1} s");
    }
}
