using System.Diagnostics;

namespace Candela.Images.Tests;

/// <summary>What unsquashfs finds in a block image.</summary>
internal static class SquashfsListing
{
    /// <summary>Lines <c>mode owner path [-&gt; target]</c>, sizes and times left out, in the order of paths; the root is <c>/</c>.</summary>
    public static string[] List(string path)
    {
        List<string> lines = [];
        foreach (string line in Run("unsquashfs", "-lln", path).Split('\n', StringSplitOptions.RemoveEmptyEntries))
        {
            int name = line.IndexOf("squashfs-root", StringComparison.Ordinal);
            if (name < 0)
                continue;
            string[] fields = line[..name].Split(' ', StringSplitOptions.RemoveEmptyEntries);
            string rest = line[(name + "squashfs-root".Length)..];
            lines.Add($"{fields[0]} {fields[1]} {(rest.Length == 0 ? "/" : rest)}");
        }

        lines.Sort((a, b) => string.CompareOrdinal(a.Split(' ')[2], b.Split(' ')[2]));
        return [.. lines];
    }

    /// <summary>Paths alone, the root left out.</summary>
    public static string[] Paths(string path) => [.. List(path).Select(static line => line.Split(' ')[2]).Where(static name => name != "/")];

    /// <summary>Content of one file.</summary>
    public static string Read(string path, string file) => Run("unsquashfs", "-cat", path, file);

    public static string Run(string program, params string[] arguments)
    {
        using Process process = Process.Start(new ProcessStartInfo(program, arguments) { RedirectStandardOutput = true, RedirectStandardError = true })!;
        Task<string> errors = process.StandardError.ReadToEndAsync();
        string output = process.StandardOutput.ReadToEnd();
        process.WaitForExit();
        return process.ExitCode == 0 ? output : throw new InvalidOperationException($"{program}: {errors.Result}");
    }
}
