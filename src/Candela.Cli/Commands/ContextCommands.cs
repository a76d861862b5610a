using System.Text.Json;
using Candela.Cli.Api;
using Candela.Cli.CommandLine;
using Candela.Cli.Output;
using Candela.Cli.Remote;

namespace Candela.Cli.Commands;

/// <summary>context: which daemon commands go to.</summary>
internal static class ContextCommands
{
    public static readonly Command Context = new("context", "Daemons that one has signed in at, and which one commands go to")
    {
        Subcommands =
        [
            new("ls", "List contexts") { ArgumentsMaximum = 0, Options = [CommandContext.OutputOption], Run = List },
            new("use", "Let commands go to a context's daemon from now on")
            {
                Arguments = "CONTEXT",
                ArgumentsMinimum = 1,
                ArgumentsMaximum = 1,
                ArgumentCompletes = [Completes.Contexts],
                Description = $"--host and CANDELA_HOST count more. The context '{ContextStore.Local}' is the daemon on this host.",
                Examples = [("context use candela.example-8443", ""), ($"context use {ContextStore.Local}", "this host's daemon again")],
                Run = Use,
            },
            new("rm", "Remove contexts; sign out first where one is signed in")
            {
                Arguments = "CONTEXT [CONTEXT...]",
                ArgumentsMinimum = 1,
                ArgumentCompletes = [Completes.Contexts],
                Run = Remove,
            },
        ],
    };

    private static int List(Invocation invocation)
    {
        var store = ContextStore.OfUserOrFail();
        string current = store.Current ?? ContextStore.Local;
        ContextRow[] rows =
        [
            new(ContextStore.Local, "unix://" + CommandContext.DefaultRunFolder + "/candela.sock", null, current == ContextStore.Local),
            .. store.Names.Select(name =>
            {
                var context = store.Get(name);
                return new ContextRow(name, context.Url, context.Account, current == name);
            }),
        ];
        if (invocation.WantsJson())
        {
            Writer.Json(JsonSerializer.SerializeToUtf8Bytes(rows, Wire.Default.ContextRowArray));
            return 0;
        }
        var table = new Table("", "NAME", "DAEMON", "ACCOUNT");
        foreach (var row in rows)
            table.Add(row.Current ? "*" : "", row.Name, row.Daemon, row.Account ?? (row.Name == ContextStore.Local ? "" : "(signed out)"));
        Writer.Out(table.ToString());
        return 0;
    }

    private static int Use(Invocation invocation)
    {
        var store = ContextStore.OfUserOrFail();
        string name = invocation.Arguments[0];
        using (store.Lock())
        {
            if (name != ContextStore.Local)
                _ = store.Get(name);
            store.Use(name);
        }
        Writer.Line(name);
        return 0;
    }

    private static int Remove(Invocation invocation)
    {
        var store = ContextStore.OfUserOrFail();
        using var others = store.Lock();
        foreach (string name in invocation.Arguments)
        {
            if (store.Get(name).Account is { } account)
                throw new InvalidOperationException($"{account} is signed in at {name}: candela logout {name}");
            store.Remove(name);
            Writer.Line(name);
        }
        return 0;
    }
}
