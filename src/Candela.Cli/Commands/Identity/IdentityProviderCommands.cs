using Candela.Cli.Api;
using Candela.Cli.CommandLine;
using Candela.Cli.Output;
using Candela.Cli.Terminal;
using Candela.Model.Identity;

namespace Candela.Cli.Commands.Identity;

/// <summary>identity-provider.</summary>
internal static class IdentityProviderCommands
{
    private static readonly Option[] Fields =
    [
        new("issuer", "Issuer of an OpenID provider") { Value = "URL" },
        new("client-id", "What Candela is called there") { Value = "ID" },
        new("auth", "How Candela proves itself there (default client_secret_basic)") { Value = "HOW", Completes = Completes.Words, Words = ["client_secret_basic", "client_secret_post", "none"] },
        new("scope", "What is asked for (default openid, profile, email); repeatable") { Value = "SCOPE", Repeatable = true },
        new("ldap", "Address of an LDAP directory: ldaps://HOST[:PORT], or ldap://HOST[:PORT] with StartTLS") { Value = "URL" },
        new("bind-name", "Distinguished name that searches there; empty: anonymous") { Value = "DN" },
        new("base", "Where people are searched for") { Value = "DN" },
        new("object-class", "Object class of people (default person)") { Value = "CLASS" },
        new("group-base", "Where groups are searched for; empty: an entry's own attribute tells") { Value = "DN" },
        new("secret", "Ask for the client's secret, or the password of --bind-name (from standard input, if that is no terminal)"),
        new("ca", "Authority that its server's certificate must be of, a PEM file; repeatable, empty: those that the host trusts") { Value = "FILE", Repeatable = true },
        new("create-accounts", "Make accounts for whoever it vouches for (default false)") { Value = "BOOL", Completes = Completes.Words, Words = ["true", "false"] },
        new("listed", "Show it on the sign-in page (default true)") { Value = "BOOL", Completes = Completes.Words, Words = ["true", "false"] },
        new("require-group", "Its group that one must be in; repeatable (one is enough), empty: none") { Value = "GROUP", Repeatable = true },
        new("group", "Its group, and the domain's that membership goes over to; repeatable. The last = parts them") { Value = "THEIRS=OURS", Repeatable = true },
        new("attribute", "What it calls name, display-name, given-name, surname, mail, groups or (LDAP) id; repeatable") { Value = "NAME=SOURCE", Repeatable = true },
        new("display-name", "What people are told to sign in with") { Value = "TEXT" },
        new("enabled", "It may be used") { Value = "BOOL", Completes = Completes.Words, Words = ["true", "false"] },
    ];

    public static readonly Command IdentityProvider = new("identity-provider", "Let people sign in by an OpenID provider or an LDAP directory elsewhere")
    {
        Subcommands =
        [
            new("ls", "List the identity providers of a domain") { ArgumentsMaximum = 0, Options = [AccountCommands.DomainOption, CommandContext.OutputOption], Run = List },
            new("create", "Register an identity provider")
            {
                Arguments = "NAME[@DOMAIN]",
                ArgumentsMinimum = 1,
                ArgumentsMaximum = 1,
                Options = Fields,
                Description = "Accounts of the domain sign in by it. Of an OpenID provider give --issuer and --client-id, and register PUBLIC-URL/sign-in/from/NAME there; of a directory --ldap and --base.",
                Examples =
                [
                    ("identity-provider create corp@acme --issuer https://login.corp.example --client-id candela --secret --create-accounts true", ""),
                    ("identity-provider create ad@acme --ldap ldaps://dc.corp.example --base dc=corp,dc=example --bind-name cn=candela,dc=corp,dc=example --secret --ca corp.pem", ""),
                ],
                Run = Create,
            },
            new("show", "Show an identity provider")
            {
                Arguments = "NAME",
                ArgumentsMinimum = 1,
                ArgumentsMaximum = 1,
                Options = [CommandContext.OutputOption],
                Run = invocation => Tree.Show(invocation, IdentityRoutes.IdentityProvider(invocation.Arguments[0])),
            },
            new("set", "Change an identity provider") { Arguments = "NAME", ArgumentsMinimum = 1, ArgumentsMaximum = 1, Options = Fields, Run = Update },
            new("rm", "Remove identity providers with their links: nobody signs in by them any more")
            {
                Arguments = "NAME [NAME...]",
                ArgumentsMinimum = 1,
                Run = invocation =>
                {
                    using var client = invocation.Connect();
                    return CommandContext.ForEach(invocation.Arguments, name => client.Delete(IdentityRoutes.IdentityProvider(name)));
                },
            },
            new("links", "List who there is which account here") { Arguments = "NAME", ArgumentsMinimum = 1, ArgumentsMaximum = 1, Options = [CommandContext.OutputOption], Run = ListLinks },
            new("link", "Say who there is which user here") { Arguments = "NAME USER SUBJECT", ArgumentsMinimum = 3, ArgumentsMaximum = 3, Run = Link },
            new("unlink", "Remove the link of a subject")
            {
                Arguments = "NAME SUBJECT",
                ArgumentsMinimum = 2,
                ArgumentsMaximum = 2,
                Run = invocation =>
                {
                    using var client = invocation.Connect();
                    client.Delete(Routes.Query(IdentityRoutes.IdentityLinks(invocation.Arguments[0]), ("subject", invocation.Arguments[1])));
                    return 0;
                },
            },
        ],
    };

    private static int List(Invocation invocation)
    {
        using var client = invocation.Connect();
        byte[] json = client.GetJson(Routes.Query(IdentityRoutes.IdentityProviders, ("domain", invocation.Value("domain"))));
        if (invocation.WantsJson())
        {
            Writer.Json(json);
            return 0;
        }
        var table = new Table("NAME", "KIND", "ADDRESS", "ACCOUNTS", "STATE");
        foreach (var provider in Http.DaemonClient.Deserialize(json, Wire.Default.IReadOnlyListIdentityProviderReport))
            table.Add(provider.Name, provider.Kind, provider.Issuer ?? provider.Address ?? "", provider.CreateAccounts ? "created" : "linked", provider.Enabled ? "enabled" : "disabled");
        Writer.Out(table.ToString());
        return 0;
    }

    private static int Create(Invocation invocation)
    {
        var (name, domain) = IdentityRoutes.Split(invocation.Arguments[0]);
        var request = Request(invocation) with { Name = name };
        using var client = invocation.Connect();
        var made = client.Post(Routes.Query(IdentityRoutes.IdentityProviders, ("domain", domain)), request, Wire.Default.IdentityProviderRequest, Wire.Default.IdentityProviderReport);
        Writer.Line(made.Name);
        return 0;
    }

    private static int Update(Invocation invocation)
    {
        var request = Request(invocation);
        using var client = invocation.Connect();
        client.Patch(IdentityRoutes.IdentityProvider(invocation.Arguments[0]), request, Wire.Default.IdentityProviderRequest);
        return 0;
    }

    private static int ListLinks(Invocation invocation)
    {
        using var client = invocation.Connect();
        byte[] json = client.GetJson(IdentityRoutes.IdentityLinks(invocation.Arguments[0]));
        if (invocation.WantsJson())
        {
            Writer.Json(json);
            return 0;
        }
        var table = new Table("SUBJECT", "ACCOUNT", "MADE FOR IT", "SINCE");
        foreach (var link in Http.DaemonClient.Deserialize(json, Wire.Default.IReadOnlyListIdentityLinkReport))
            table.Add(link.Subject, link.Account ?? $"deleted ({link.AccountId})", link.OwnsAccount ? "yes" : "no", $"{link.CreatedAt:u}");
        Writer.Out(table.ToString());
        return 0;
    }

    private static int Link(Invocation invocation)
    {
        using var client = invocation.Connect();
        client.Post(
            IdentityRoutes.IdentityLinks(invocation.Arguments[0]), new IdentityLinkRequest(invocation.Arguments[1], invocation.Arguments[2]), Wire.Default.IdentityLinkRequest, Wire.Default.IdentityLinkReport);
        return 0;
    }

    private static IdentityProviderRequest Request(Invocation invocation) => new()
    {
        DisplayName = invocation.Value("display-name"),
        Issuer = invocation.Value("issuer"),
        ClientId = invocation.Value("client-id"),
        Authentication = invocation.Value("auth"),
        Scopes = invocation.Has("scope") ? invocation.Values("scope") : null,
        Address = invocation.Value("ldap"),
        BindName = invocation.Value("bind-name"),
        BaseName = invocation.Value("base"),
        ObjectClass = invocation.Value("object-class"),
        GroupBaseName = invocation.Value("group-base"),
        Secret = invocation.Flag("secret") ? Secrets.Read("Secret") : null,
        Authorities = invocation.Has("ca") ? [.. invocation.Values("ca").Where(file => file.Length > 0).Select(File.ReadAllText)] : null,
        CreateAccounts = invocation.Has("create-accounts") ? invocation.Flag("create-accounts") : null,
        Listed = invocation.Has("listed") ? invocation.Flag("listed") : null,
        RequiredGroups = invocation.Has("require-group") ? [.. invocation.Values("require-group").Where(name => name.Length > 0)] : null,
        Groups = invocation.Has("group") ? invocation.Values("group").Where(text => text.Length > 0).Select(text => Pair("group", "THEIRS=OURS", text)).ToDictionary() : null,
        Attributes = invocation.Has("attribute") ? invocation.Values("attribute").Where(text => text.Length > 0).Select(text => Pair("attribute", "NAME=SOURCE", text)).ToDictionary() : null,
        Enabled = invocation.Has("enabled") ? invocation.Flag("enabled") : null,
    };

    /// <summary>The last equals sign parts: a distinguished name has others.</summary>
    private static KeyValuePair<string, string> Pair(string option, string form, string text) => text.LastIndexOf('=') is > 0 and var at && at < text.Length - 1
        ? KeyValuePair.Create(text[..at], text[(at + 1)..])
        : throw new UsageException($"--{option} wants {form}, not '{text}'");
}
