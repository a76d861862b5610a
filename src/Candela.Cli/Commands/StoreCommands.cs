using System.Diagnostics;
using Candela.Cli.CommandLine;
using Candela.Cli.Daemon;

namespace Candela.Cli.Commands;

/// <summary>store backup, restore, migrate: the records of a platform whose daemon does not run.</summary>
internal static class StoreCommands
{
    private static readonly Option Where = new("store", $"The store: etcd://… or a SQLite file (default {DaemonSettings.DefaultStateFolder}/state.db)") { Value = "STORE", Completes = Completes.Files };

    public static readonly Command Store = new("store", "Backup, restore and migration of all records")
    {
        Description = "The daemon must be down (containers go on); images, volumes and keys are files of the state folder and not among the records.",
        Subcommands =
        [
            new("backup", "Copy all records to a new file")
            {
                Arguments = "FILE", ArgumentsMinimum = 1, ArgumentsMaximum = 1, Options = [Where],
                Run = invocation => Copy(StoreOf(invocation), Path.GetFullPath(invocation.Arguments[0])),
            },
            new("restore", "Copy all records from a file to an empty store")
            {
                Arguments = "FILE", ArgumentsMinimum = 1, ArgumentsMaximum = 1, Options = [Where],
                Run = invocation => Copy(Path.GetFullPath(invocation.Arguments[0]), StoreOf(invocation)),
            },
            new("migrate", "Copy all records to an empty store, such as from SQLite to etcd")
            {
                Arguments = "TO", ArgumentsMinimum = 1, ArgumentsMaximum = 1, Options = [Where],
                Examples = [("store migrate etcd://10.0.0.1,10.0.0.2,10.0.0.3", "then: candela up --store etcd://10.0.0.1,10.0.0.2,10.0.0.3")],
                Run = invocation => Copy(StoreOf(invocation), invocation.Arguments[0]),
            },
        ],
    };

    private static string StoreOf(Invocation invocation) => invocation.Value("store") ?? Path.Combine(DaemonSettings.DefaultStateFolder, "state.db");

    private static int Copy(string from, string to)
    {
        using var copying = Process.Start(DaemonProcess.ProgramPath, ["store-copy", from, to]);
        copying.WaitForExit();
        return copying.ExitCode;
    }
}
