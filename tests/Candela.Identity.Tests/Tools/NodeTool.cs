using System.Diagnostics;
using System.Text.Json;
using Candela.Tests.Shared;

namespace Candela.Identity.Tests.Tools;

/// <summary>Runs a script of tests/Npm, where eng/setup installs its packages.</summary>
public static class NodeTool
{
    private static readonly TimeSpan Deadline = TimeSpan.FromMinutes(5);

    private static string Folder { get; } = FindFolder();

    /// <summary>Runs a script; its configuration goes through a file that is readable by its owner only.</summary>
    /// <returns>What it printed.</returns>
    public static async Task<JsonElement> RunAsync(string script, string command, object configuration)
    {
        using var folder = new TemporaryFolder();
        var path = folder.File("config.json");
        await using (var file = new FileStream(path, new FileStreamOptions { Mode = FileMode.CreateNew, Access = FileAccess.Write, UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite }))
            await JsonSerializer.SerializeAsync(file, configuration, TestJson);
        var start = new ProcessStartInfo("node", [Path.Combine(Folder, script), command, path]) { RedirectStandardOutput = true, RedirectStandardError = true, WorkingDirectory = Folder };
        start.Environment["HOME"] = folder.Path;
        using var process = Process.Start(start)!;
        using var ending = new CancellationTokenSource(Deadline);
        try
        {
            var output = process.StandardOutput.ReadToEndAsync(ending.Token);
            var errors = process.StandardError.ReadToEndAsync(ending.Token);
            await process.WaitForExitAsync(ending.Token);
            Assert.True(process.ExitCode == 0, $"{script} {command}: exit code {process.ExitCode}\n{await output}{await errors}");
            return JsonSerializer.Deserialize<JsonElement>(await output);
        }
        finally
        {
            if (!process.HasExited)
                process.Kill(entireProcessTree: true);
        }
    }

    private static JsonSerializerOptions TestJson { get; } = new(JsonSerializerDefaults.Web);

    private static string FindFolder()
    {
        for (var folder = new DirectoryInfo(AppContext.BaseDirectory); folder is not null; folder = folder.Parent)
        {
            var found = Path.Combine(folder.FullName, "tests", "Npm");
            if (Directory.Exists(Path.Combine(found, "node_modules")))
                return found;
        }

        throw new DirectoryNotFoundException("tests/Npm/node_modules is missing: run eng/setup test");
    }
}
