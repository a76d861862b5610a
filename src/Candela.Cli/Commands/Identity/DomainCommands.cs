using System.Globalization;
using Candela.Cli.Api;
using Candela.Cli.CommandLine;
using Candela.Cli.Http;
using Candela.Cli.Output;
using Candela.Cli.Terminal;
using Candela.Model.Identity;

namespace Candela.Cli.Commands.Identity;

/// <summary>domain.</summary>
internal static class DomainCommands
{
    private const string LdifType = "text/x-ldif";

    public static readonly Command Domain = new("domain", "Domains: the accounts of the platform's operators, and of each tenant")
    {
        Subcommands =
        [
            new("ls", "List domains") { ArgumentsMaximum = 0, Options = [CommandContext.OutputOption], Run = List },
            new("show", "Show a domain with its password policy")
            {
                Arguments = "DOMAIN",
                ArgumentCompletes = [Completes.Domains],
                ArgumentsMinimum = 1,
                ArgumentsMaximum = 1,
                Options = [CommandContext.OutputOption],
                Run = invocation => Tree.Show(invocation, IdentityRoutes.Domain(invocation.Arguments[0])),
            },
            new("create", "Create the domain of a tenant")
            {
                Arguments = "TENANT",
                ArgumentsMinimum = 1,
                ArgumentsMaximum = 1,
                Options = [new("name", "Name of the domain (default: the tenant's)") { Value = "NAME" }, new("description", "What it is for") { Value = "TEXT" }],
                Run = Create,
            },
            new("set", "Change a domain or its password policy")
            {
                Arguments = "DOMAIN",
                ArgumentCompletes = [Completes.Domains],
                ArgumentsMinimum = 1,
                ArgumentsMaximum = 1,
                Options =
                [
                    new("description", "What it is for; empty: takes it away") { Value = "TEXT" },
                    new("enabled", "Let its accounts in, or with false not") { Value = "BOOL", Completes = Completes.Words, Words = ["true", "false"] },
                    new("password-length", "Least length of a password") { Value = "NUMBER" },
                    new("password-history", "Former passwords that must not come again") { Value = "NUMBER" },
                    new("password-days", "Days after which a password must be changed; 0: never") { Value = "NUMBER" },
                    new("lockout-failures", "Failures after which a name is locked; 0: never") { Value = "NUMBER" },
                    new("lockout-seconds", "Seconds of the first lock; each further failure doubles it") { Value = "NUMBER" },
                    new("lockout-maximum-seconds", "Longest lock") { Value = "NUMBER" },
                ],
                Run = Update,
            },
            new("rm", "Remove domains without accounts and groups")
            {
                Arguments = "DOMAIN [DOMAIN...]",
                ArgumentCompletes = [Completes.Domains],
                ArgumentsMinimum = 1,
                Run = invocation =>
                {
                    using var client = invocation.Connect();
                    return CommandContext.ForEach(invocation.Arguments, name => client.Delete(IdentityRoutes.Domain(name)));
                },
            },
            new("export", "Write accounts and groups as LDIF to standard output")
            {
                Arguments = "DOMAIN",
                ArgumentCompletes = [Completes.Domains],
                ArgumentsMinimum = 1,
                ArgumentsMaximum = 1,
                Options = [new("passwords", "With password hashes: such a file is a secret")],
                Examples = [("domain export acme > acme.ldif", "")],
                Run = Export,
            },
            new("import", "Make the accounts, groups and memberships of an LDIF file; what exists stays")
            {
                Arguments = "DOMAIN [FILE]",
                ArgumentsMinimum = 1,
                ArgumentsMaximum = 2,
                ArgumentCompletes = [Completes.Domains, Completes.Files],
                Examples = [("domain import acme acme.ldif", ""), ("domain import acme < acme.ldif", "")],
                Run = Import,
            },
        ],
    };

    private static int List(Invocation invocation)
    {
        using var client = invocation.Connect();
        byte[] json = client.GetJson(IdentityRoutes.Domains);
        if (invocation.WantsJson())
        {
            Writer.Json(json);
            return 0;
        }
        var table = new Table("DOMAIN", "TENANT", "USERS", "GROUPS", "SERVICE ACCOUNTS", "STATE", "DESCRIPTION");
        foreach (var domain in DaemonClient.Deserialize(json, Wire.Default.IReadOnlyListDomainReport))
        {
            table.Add(domain.Name, domain.Tenant ?? "", Number(domain.UserCount), Number(domain.GroupCount), Number(domain.ServiceAccountCount),
                domain.Enabled ? "enabled" : "disabled", domain.Description ?? "");
        }
        Writer.Out(table.ToString());
        return 0;
    }

    private static int Create(Invocation invocation)
    {
        using var client = invocation.Connect();
        var request = new CreateDomainRequest { Tenant = invocation.Arguments[0], Name = invocation.Value("name"), Description = invocation.Value("description") };
        Writer.Line(client.Post(IdentityRoutes.Domains, request, Wire.Default.CreateDomainRequest, Wire.Default.DomainReport).Name);
        return 0;
    }

    private static int Update(Invocation invocation)
    {
        using var client = invocation.Connect();
        var request = new UpdateDomainRequest
        {
            Description = invocation.Value("description"),
            Enabled = invocation.Has("enabled") ? invocation.Flag("enabled") : null,
            PasswordPolicy = new UpdatePasswordPolicyRequest
            {
                MinimumLength = invocation.Number("password-length", 8, 128),
                HistoryCount = invocation.Number("password-history", 0, 24),
                MaximumAgeDays = invocation.Number("password-days", 0, 3650),
                LockoutThreshold = invocation.Number("lockout-failures", 0, 1000),
                LockoutSeconds = invocation.Number("lockout-seconds", 1, 86_400),
                LockoutMaximumSeconds = invocation.Number("lockout-maximum-seconds", 1, 86_400),
            },
        };
        client.Patch(IdentityRoutes.Domain(invocation.Arguments[0]), request, Wire.Default.UpdateDomainRequest);
        return 0;
    }

    private static int Export(Invocation invocation)
    {
        using var client = invocation.Connect();
        var response = client.Stream("GET", Routes.Query(IdentityRoutes.Domain(invocation.Arguments[0], "ldif"), ("passwords", Routes.Flag(invocation.Flag("passwords")))));
        response.Body.CopyTo(StandardStream.Output);
        return 0;
    }

    private static int Import(Invocation invocation)
    {
        string? file = invocation.Arguments.Count > 1 ? invocation.Arguments[1] : null;
        if (file is null && StandardStream.Input.IsTerminal)
            throw new UsageException("standard input is a terminal: name a file, or pipe one in") { Path = invocation.Path };
        using var client = invocation.Connect();
        using Stream body = file is null ? StandardStream.Input : File.OpenRead(file);
        var report = DaemonClient.Deserialize(
            client.Upload("POST", IdentityRoutes.Domain(invocation.Arguments[0], "ldif"), body, LdifType).ReadAll(), Wire.Default.ImportReport);
        Writer.Line($"made {report.CreatedCount} accounts and groups and {report.MembershipCount} memberships; {report.ExistingCount} were there");
        foreach (string problem in report.Problems)
            Writer.Error(problem);
        return report.Problems.Count > 0 ? 1 : 0;
    }

    private static string Number(int number) => number.ToString(CultureInfo.InvariantCulture);
}
