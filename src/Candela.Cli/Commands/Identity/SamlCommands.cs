using Candela.Cli.Api;
using Candela.Cli.CommandLine;
using Candela.Cli.Output;
using Candela.Model.Identity;

namespace Candela.Cli.Commands.Identity;

/// <summary>saml-provider.</summary>
internal static class SamlCommands
{
    private static readonly Option[] Fields =
    [
        new("metadata", "Its metadata, an XML file (- for standard input)") { Value = "FILE" },
        new("entity-id", "Its entity id") { Value = "URI" },
        new("consumer", "Where responses go (assertion consumer service); repeatable, the default first") { Value = "URL", Repeatable = true },
        new("logout", "Where logout messages go; empty: nowhere") { Value = "URL" },
        new("certificate", "What its messages are verified with, a PEM file; repeatable") { Value = "FILE", Repeatable = true },
        new("encrypt-for", "What assertions are encrypted for, a PEM file; empty: not encrypted") { Value = "FILE" },
        new("require-signed", "Its requests must be signed (default: if there is a certificate)") { Value = "BOOL", Completes = Completes.Words, Words = ["true", "false"] },
        new("name-id", "By what it knows accounts (default persistent)") { Value = "KIND", Completes = Completes.Words, Words = ["persistent", "email", "transient"] },
        new("attribute", "What it is told, NAME=SOURCE, SOURCE one of name, login, display-name, given-name, surname, mail, groups, id; repeatable") { Value = "NAME=SOURCE", Repeatable = true },
        new("group", "Only members of this group may sign in there; repeatable, empty: all") { Value = "GROUP", Repeatable = true },
        new("display-name", "What people are told to sign in to") { Value = "TEXT" },
        new("enabled", "It may be used") { Value = "BOOL", Completes = Completes.Words, Words = ["true", "false"] },
    ];

    public static readonly Command SamlProvider = new("saml-provider", "SAML service providers: programs to which accounts sign in by SAML")
    {
        Subcommands =
        [
            new("ls", "List the service providers of a domain") { ArgumentsMaximum = 0, Options = [AccountCommands.DomainOption, CommandContext.OutputOption], Run = List },
            new("create", "Register a service provider")
            {
                Arguments = "NAME[@DOMAIN]",
                ArgumentsMinimum = 1,
                ArgumentsMaximum = 1,
                Options = Fields,
                Description = "Accounts of the domain sign in there. Give its metadata, or at least --entity-id and --consumer.",
                Examples =
                [
                    ("saml-provider create wiki@acme --metadata wiki.xml", ""),
                    ("saml-provider create crm@acme --entity-id https://crm.example.org --consumer https://crm.example.org/saml/acs --name-id email", ""),
                ],
                Run = Create,
            },
            new("show", "Show a service provider")
            {
                Arguments = "NAME",
                ArgumentsMinimum = 1,
                ArgumentsMaximum = 1,
                Options = [CommandContext.OutputOption],
                Run = invocation => Tree.Show(invocation, IdentityRoutes.SamlProvider(invocation.Arguments[0])),
            },
            new("set", "Change a service provider") { Arguments = "NAME", ArgumentsMinimum = 1, ArgumentsMaximum = 1, Options = Fields, Run = Update },
            new("rm", "Remove service providers: nobody signs in there any more")
            {
                Arguments = "NAME [NAME...]",
                ArgumentsMinimum = 1,
                Run = invocation =>
                {
                    using var client = invocation.Connect();
                    return CommandContext.ForEach(invocation.Arguments, name => client.Delete(IdentityRoutes.SamlProvider(name)));
                },
            },
            new("keys", "List the keys that sign SAML messages") { ArgumentsMaximum = 0, Options = [CommandContext.OutputOption], Run = ListKeys },
            new("rotate-key", "Make the next signing key; it is in the metadata for a while before it signs")
            {
                ArgumentsMaximum = 0,
                Options = [new("urgent", "It signs at once, and the former ones go: service providers must read the metadata anew")],
                Run = Rotate,
            },
        ],
    };

    private static int List(Invocation invocation)
    {
        using var client = invocation.Connect();
        byte[] json = client.GetJson(Routes.Query(IdentityRoutes.SamlProviders, ("domain", invocation.Value("domain"))));
        if (invocation.WantsJson())
        {
            Writer.Json(json);
            return 0;
        }
        var table = new Table("NAME", "ENTITY ID", "NAME ID", "STATE");
        foreach (var provider in Http.DaemonClient.Deserialize(json, Wire.Default.IReadOnlyListSamlProviderReport))
            table.Add(provider.Name, provider.EntityId, provider.NameId, provider.Enabled ? "enabled" : "disabled");
        Writer.Out(table.ToString());
        return 0;
    }

    private static int Create(Invocation invocation)
    {
        var (name, domain) = IdentityRoutes.Split(invocation.Arguments[0]);
        using var client = invocation.Connect();
        var made = client.Post(
            Routes.Query(IdentityRoutes.SamlProviders, ("domain", domain)), Request(invocation) with { Name = name }, Wire.Default.SamlProviderRequest, Wire.Default.SamlProviderReport);
        Writer.Line(made.Name);
        return 0;
    }

    private static int Update(Invocation invocation)
    {
        using var client = invocation.Connect();
        client.Patch(IdentityRoutes.SamlProvider(invocation.Arguments[0]), Request(invocation), Wire.Default.SamlProviderRequest);
        return 0;
    }

    private static int ListKeys(Invocation invocation)
    {
        using var client = invocation.Connect();
        byte[] json = client.GetJson(IdentityRoutes.SamlKeys);
        if (invocation.WantsJson())
        {
            Writer.Json(json);
            return 0;
        }
        var table = new Table("ID", "STATE", "SIGNS FROM", "NOT AFTER", "SHA-256 OF THE CERTIFICATE");
        var now = TimeProvider.System.GetUtcNow();
        foreach (var key in Http.DaemonClient.Deserialize(json, Wire.Default.IReadOnlyListSamlKeyReport))
            table.Add(key.Id, key.IsCurrent ? "signs" : key.SignsFrom > now ? "announced" : "former", $"{key.SignsFrom:u}", $"{key.NotAfter:u}", key.Fingerprint);
        Writer.Out(table.ToString());
        return 0;
    }

    private static int Rotate(Invocation invocation)
    {
        using var client = invocation.Connect();
        client.Post(Routes.Query(IdentityRoutes.SamlKeys + "/rotate", ("urgent", invocation.Flag("urgent") ? "true" : null)));
        return 0;
    }

    private static SamlProviderRequest Request(Invocation invocation) => new()
    {
        Metadata = invocation.Value("metadata") is { } path ? path == "-" ? Console.In.ReadToEnd() : File.ReadAllText(path) : null,
        DisplayName = invocation.Value("display-name"),
        EntityId = invocation.Value("entity-id"),
        ConsumerAddresses = invocation.Has("consumer") ? invocation.Values("consumer") : null,
        LogoutAddress = invocation.Value("logout"),
        SigningCertificates = invocation.Has("certificate") ? [.. invocation.Values("certificate").Select(File.ReadAllText)] : null,
        EncryptionCertificate = invocation.Value("encrypt-for") is { } file ? file.Length == 0 ? "" : File.ReadAllText(file) : null,
        RequireSignedRequests = invocation.Has("require-signed") ? invocation.Flag("require-signed") : null,
        NameId = invocation.Value("name-id"),
        Attributes = invocation.Has("attribute") ? invocation.Values("attribute").Select(Attribute).ToDictionary() : null,
        AllowedGroups = invocation.Has("group") ? [.. invocation.Values("group").Where(name => name.Length > 0)] : null,
        Enabled = invocation.Has("enabled") ? invocation.Flag("enabled") : null,
    };

    private static KeyValuePair<string, string> Attribute(string text) => text.Split('=', 2) is [{ Length: > 0 } name, { Length: > 0 } source]
        ? KeyValuePair.Create(name, source)
        : throw new UsageException($"--attribute wants NAME=SOURCE, not '{text}'");
}
