using Candela.Cli.Api;
using Candela.Cli.CommandLine;
using Candela.Cli.Http;
using Candela.Cli.Output;
using Candela.Cli.Terminal;
using Candela.Model.Identity;

namespace Candela.Cli.Commands.Identity;

/// <summary>user, service-account: the same verbs.</summary>
internal static class AccountCommands
{
    public static readonly Option DomainOption = new("domain", "Domain (default system)") { Letter = 'd', Value = "DOMAIN" };

    /// <summary>Entries of one page.</summary>
    private const int PageCount = 1000;

    private static readonly Option[] CommonOptions =
    [
        new("display-name", "Name as shown") { Value = "TEXT" },
        new("description", "What it is for") { Value = "TEXT" },
    ];

    private static readonly Option[] PersonOptions =
    [
        .. CommonOptions,
        new("given-name", "Given name") { Value = "TEXT" },
        new("surname", "Surname") { Value = "TEXT" },
        new("mail", "Mail address") { Value = "ADDRESS" },
        new("telephone", "Telephone number") { Value = "NUMBER" },
        new("uid", "Unix user number (default: allotted)") { Value = "NUMBER" },
        new("gid", "Number of the primary Unix group (default: as the user's)") { Value = "NUMBER" },
        new("home", "Home folder (default /home/NAME)") { Value = "PATH" },
        new("shell", "Login shell (default /bin/bash)") { Value = "PATH" },
    ];

    public static readonly Command User = Make("user", "Users: people who may sign in", "users", IdentityRoutes.Users, PersonOptions, Completes.Users);

    public static readonly Command ServiceAccount =
        Make("service-account", "Service accounts: programs that sign in from outside", "service accounts", IdentityRoutes.ServiceAccounts, CommonOptions, Completes.ServiceAccounts);

    /// <summary>All entries of a domain, page by page.</summary>
    public static List<T> ReadAll<T>(DaemonClient client, string collection, string? domain, System.Text.Json.Serialization.Metadata.JsonTypeInfo<IReadOnlyList<T>> type, Func<T, string> name)
    {
        var all = new List<T>();
        IReadOnlyList<T> page;
        do
        {
            page = client.Get(
                Routes.Query(collection, ("domain", domain), ("after", all.Count > 0 ? name(all[^1]) : null), ("limit", $"{PageCount}")), type);
            all.AddRange(page);
        }
        while (page.Count == PageCount);
        return all;
    }

    private static Command Make(string name, string summary, string plural, string collection, Option[] attributes, Completes completes) => new(name, summary)
    {
        Subcommands =
        [
            new("ls", $"List {plural}")
            {
                ArgumentsMaximum = 0,
                Options = [DomainOption, new("quiet", "Only names") { Letter = 'q' }, CommandContext.OutputOption],
                Run = invocation => List(invocation, collection),
            },
            new("create", "Create one")
            {
                Arguments = "NAME[@DOMAIN]",
                ArgumentsMinimum = 1,
                ArgumentsMaximum = 1,
                Options = [.. attributes, new("password", "Ask for a password, or read it from standard input"), new("keep-password", "The password need not be changed at the first sign-in")],
                Examples = [($"{name} create ada@acme --password", "")],
                Run = invocation => Create(invocation, collection),
            },
            new("show", "Show one")
            {
                Arguments = "NAME[@DOMAIN]",
                ArgumentCompletes = [completes],
                ArgumentsMinimum = 1,
                ArgumentsMaximum = 1,
                Options = [CommandContext.OutputOption],
                Run = invocation => Tree.Show(invocation, IdentityRoutes.Entry(collection, invocation.Arguments[0])),
            },
            new("set", "Change or rename one; an empty value takes away")
            {
                Arguments = "NAME[@DOMAIN]",
                ArgumentCompletes = [completes],
                ArgumentsMinimum = 1,
                ArgumentsMaximum = 1,
                Options = [new("name", "Another name") { Value = "NAME" }, .. attributes],
                Run = invocation => Update(invocation, collection, Changes(invocation)),
            },
            EachCommand("enable", "Let them in", completes, (client, reference) => Enable(client, collection, reference, true)),
            EachCommand("disable", "Do not let them in any more, from now on", completes, (client, reference) => Enable(client, collection, reference, false)),
            EachCommand("rm", "Remove them with their memberships and bindings", completes, (client, reference) => client.Delete(IdentityRoutes.Entry(collection, reference))),
            new("passwd", "Set a password in the owner's stead, and end a lock")
            {
                Arguments = "NAME[@DOMAIN]",
                ArgumentCompletes = [completes],
                ArgumentsMinimum = 1,
                ArgumentsMaximum = 1,
                Options = [new("keep-password", "It need not be changed at the next sign-in")],
                Description = "The password is asked for, or read from standard input if that is no terminal.",
                Run = invocation =>
                {
                    using var client = invocation.Connect();
                    var request = new ResetPasswordRequest { Password = Secrets.ReadNew("New password"), MustChange = !invocation.Flag("keep-password") };
                    client.Put(IdentityRoutes.Entry(collection, invocation.Arguments[0], "password"), request, Wire.Default.ResetPasswordRequest);
                    return 0;
                },
            },
            new("credentials", "Show what one proves itself by, and whether it is locked")
            {
                Arguments = "NAME[@DOMAIN]",
                ArgumentCompletes = [completes],
                ArgumentsMinimum = 1,
                ArgumentsMaximum = 1,
                Options = [CommandContext.OutputOption],
                Run = invocation => Tree.Show(invocation, IdentityRoutes.Entry(collection, invocation.Arguments[0], "credentials")),
            },
            EachCommand("unlock", "End the lock after too many failures", completes, (client, reference) => client.Post(IdentityRoutes.Entry(collection, reference, "unlock"))),
            EachCommand("reset-second-factor", "Take the second factor away", completes, (client, reference) => client.Delete(IdentityRoutes.Entry(collection, reference, "second-factor"))),
        ],
    };

    private static Command EachCommand(string name, string summary, Completes completes, Action<DaemonClient, string> action) => new(name, summary)
    {
        Arguments = "NAME[@DOMAIN] [NAME[@DOMAIN]...]",
        ArgumentCompletes = [completes],
        ArgumentsMinimum = 1,
        Run = invocation =>
        {
            using var client = invocation.Connect();
            return CommandContext.ForEach(invocation.Arguments, reference => action(client, reference));
        },
    };

    private static int List(Invocation invocation, string collection)
    {
        using var client = invocation.Connect();
        var accounts = ReadAll(client, collection, invocation.Value("domain"), Wire.Default.IReadOnlyListAccountReport, account => account.Name);
        if (invocation.WantsJson())
        {
            Writer.Json(System.Text.Json.JsonSerializer.SerializeToUtf8Bytes(accounts, Wire.Default.IReadOnlyListAccountReport));
            return 0;
        }
        if (invocation.Flag("quiet"))
        {
            Writer.Out(string.Concat(accounts.Select(account => account.Name + "\n")));
            return 0;
        }
        var now = TimeProvider.System.GetUtcNow();
        var table = new Table("NAME", "SHOWN AS", "MAIL", "STATE", "GROUPS", "CREATED");
        foreach (var account in accounts)
        {
            string shown = account.DisplayName ?? string.Join(' ', new[] { account.GivenName, account.Surname }.Where(part => part is not null));
            table.Add(account.Name, shown, account.Mail ?? "", account.Enabled ? "enabled" : "disabled", string.Join(',', account.Groups), Human.Ago(account.CreatedAt, now));
        }
        Writer.Out(table.ToString());
        return 0;
    }

    private static int Create(Invocation invocation, string collection)
    {
        var (name, domain) = IdentityRoutes.Split(invocation.Arguments[0]);
        bool hasPassword = invocation.Flag("password");
        var request = new CreateAccountRequest
        {
            Name = name,
            DisplayName = invocation.Value("display-name"),
            GivenName = invocation.Value("given-name"),
            Surname = invocation.Value("surname"),
            Mail = invocation.Value("mail"),
            Telephone = invocation.Value("telephone"),
            UidNumber = Number(invocation, "uid"),
            GidNumber = Number(invocation, "gid"),
            HomeDirectory = invocation.Value("home"),
            LoginShell = invocation.Value("shell"),
            Description = invocation.Value("description"),
            Password = hasPassword ? Secrets.ReadNew("Password") : null,
            MustChangePassword = invocation.Flag("keep-password") ? false : null,
        };
        using var client = invocation.Connect();
        var made = client.Post(Routes.Query(collection, ("domain", domain)), request, Wire.Default.CreateAccountRequest, Wire.Default.AccountReport);
        Writer.Line($"{made.Name}@{made.Domain}");
        return 0;
    }

    private static int Update(Invocation invocation, string collection, UpdateAccountRequest changes)
    {
        using var client = invocation.Connect();
        client.Patch(IdentityRoutes.Entry(collection, invocation.Arguments[0]), changes, Wire.Default.UpdateAccountRequest);
        return 0;
    }

    private static void Enable(DaemonClient client, string collection, string reference, bool enabled) =>
        client.Patch(IdentityRoutes.Entry(collection, reference), new UpdateAccountRequest { Enabled = enabled }, Wire.Default.UpdateAccountRequest);

    private static UpdateAccountRequest Changes(Invocation invocation) => new()
    {
        Name = invocation.Value("name"),
        DisplayName = invocation.Value("display-name"),
        GivenName = invocation.Value("given-name"),
        Surname = invocation.Value("surname"),
        Mail = invocation.Value("mail"),
        Telephone = invocation.Value("telephone"),
        UidNumber = Number(invocation, "uid"),
        GidNumber = Number(invocation, "gid"),
        HomeDirectory = invocation.Value("home"),
        LoginShell = invocation.Value("shell"),
        Description = invocation.Value("description"),
    };

    private static uint? Number(Invocation invocation, string option) => (uint?)invocation.Number(option, 1, int.MaxValue - 1);
}
