using System.Globalization;
using Candela.Cli.Api;
using Candela.Cli.CommandLine;
using Candela.Cli.Output;
using Candela.Model.Identity;

namespace Candela.Cli.Commands.Identity;

/// <summary>client.</summary>
internal static class ClientCommands
{
    private static readonly Dictionary<string, string> GrantNames = new()
    {
        ["code"] = "authorization_code",
        ["refresh"] = "refresh_token",
        ["client-credentials"] = "client_credentials",
        ["device"] = "urn:ietf:params:oauth:grant-type:device_code",
        ["token-exchange"] = "urn:ietf:params:oauth:grant-type:token-exchange",
    };

    public static readonly Command Client = new("client", "Programs that people sign in to (OpenID Connect), or that get tokens themselves (OAuth)")
    {
        Subcommands =
        [
            new("ls", "List clients")
            {
                ArgumentsMaximum = 0,
                Options = [AccountCommands.DomainOption, new("quiet", "Only ids") { Letter = 'q' }, CommandContext.OutputOption],
                Run = List,
            },
            new("create", "Register a client; its secret is shown this once")
            {
                Arguments = "NAME[@DOMAIN]",
                ArgumentsMinimum = 1,
                ArgumentsMaximum = 1,
                Description = "With --redirect it signs people in, without it gets tokens for itself.",
                Options =
                [
                    new("redirect", "Where people are led back to, exactly") { Value = "URL", Repeatable = true },
                    new("logout-redirect", "Where people are led back to after logout, exactly") { Value = "URL", Repeatable = true },
                    new("grant", "How it gets tokens (default: code and refresh with --redirect, else client-credentials)") { Value = "GRANT", Repeatable = true, Completes = Completes.Words, Words = [.. GrantNames.Keys] },
                    new("scope", "What its tokens can be good for (default with --redirect: openid profile email offline_access)") { Value = "SCOPE", Repeatable = true },
                    new("audience", "For whom it may get tokens; the first is the default") { Value = "URL", Repeatable = true },
                    new("auth", "How it proves who it is (default: secret)") { Value = "METHOD", Completes = Completes.Words, Words = ["none", "secret", "private-key-jwt", "tls", "self-signed-tls"] },
                    new("jwks", "Its public keys, a JSON web key set") { Value = "FILE", Completes = Completes.Files },
                    new("tls-subject", "Owner or name of its certificate of Candela's authority") { Value = "NAME" },
                    new("certificate", "Its self-signed certificate, PEM") { Value = "FILE", Completes = Completes.Files },
                    new("bound-tokens", "Bind its tokens to its TLS certificate"),
                    new("service-account", "Account whose rights its own tokens have") { Value = "NAME" },
                    new("display-name", "Name as shown to people") { Value = "TEXT" },
                    new("trusted", "Do not ask people whether they agree"),
                    new("id-token-alg", "What its ID tokens are signed by (default ES256)") { Value = "ALG", Completes = Completes.Words, Words = ["ES256", "RS256"] },
                    new("logout-uri", "Where it is told that a session has ended (back-channel logout)") { Value = "URL" },
                    CommandContext.OutputOption,
                ],
                Examples =
                [
                    ("client create grafana --redirect https://grafana.example/login/generic_oauth --scope openid --scope groups", ""),
                    ("client create ci@acme --service-account ci --audience https://candela.example:8443/v1", ""),
                ],
                Run = Create,
            },
            new("inspect", "Show a client")
            {
                Arguments = "NAME[@DOMAIN]",
                ArgumentCompletes = [Completes.Clients],
                ArgumentsMinimum = 1,
                ArgumentsMaximum = 1,
                Options = [CommandContext.OutputOption],
                Run = invocation => Tree.Show(invocation, IdentityRoutes.Entry(IdentityRoutes.Clients, invocation.Arguments[0])),
            },
            new("rm", "Remove clients; their tokens count no more")
            {
                Arguments = "NAME[@DOMAIN] [NAME[@DOMAIN]...]",
                ArgumentCompletes = [Completes.Clients],
                ArgumentsMinimum = 1,
                Run = invocation =>
                {
                    using var client = invocation.Connect();
                    return CommandContext.ForEach(invocation.Arguments, reference => client.Delete(IdentityRoutes.Entry(IdentityRoutes.Clients, reference)));
                },
            },
            new("rotate-secret", "Give a client another secret, which is shown this once")
            {
                Arguments = "NAME[@DOMAIN]",
                ArgumentCompletes = [Completes.Clients],
                ArgumentsMinimum = 1,
                ArgumentsMaximum = 1,
                Options = [new("keep", "For how long the former one goes on to count (default 0)") { Value = "SECONDS" }, CommandContext.OutputOption],
                Run = Rotate,
            },
        ],
    };

    private static int List(Invocation invocation)
    {
        using var client = invocation.Connect();
        byte[] json = client.GetJson(Routes.Query(IdentityRoutes.Clients, ("domain", invocation.Value("domain"))));
        if (invocation.WantsJson())
        {
            Writer.Json(json);
            return 0;
        }

        var clients = Http.DaemonClient.Deserialize(json, Wire.Default.IReadOnlyListClientReport);
        if (invocation.Flag("quiet"))
        {
            Writer.Out(string.Concat(clients.Select(one => one.Id + "\n")));
            return 0;
        }

        var now = TimeProvider.System.GetUtcNow();
        var table = new Table("CLIENT ID", "GRANTS", "AUTH", "STATE", "CREATED", "NAME");
        foreach (var one in clients)
        {
            var grants = one.Grants.Select(grant => GrantNames.FirstOrDefault(known => known.Value == grant).Key ?? grant);
            table.Add(one.Id, string.Join(',', grants), one.Authentication, one.Enabled ? "enabled" : "disabled", Human.Ago(one.CreatedAt, now), one.DisplayName ?? "");
        }

        Writer.Out(table.ToString());
        return 0;
    }

    private static int Create(Invocation invocation)
    {
        var (name, domain) = IdentityRoutes.Split(invocation.Arguments[0]);
        var redirects = invocation.Values("redirect");
        string[] grants = invocation.Has("grant") ? [.. invocation.Values("grant")] : redirects.Count > 0 ? ["code", "refresh"] : ["client-credentials"];
        string[] scopes = invocation.Has("scope") ? [.. invocation.Values("scope")] : redirects.Count > 0 ? ["openid", "profile", "email", "offline_access"] : [];
        var request = new CreateClientRequest
        {
            Name = name,
            DisplayName = invocation.Value("display-name"),
            Authentication = invocation.Value("auth") ?? "secret",
            Grants = [.. grants.Select(grant => GrantNames.GetValueOrDefault(grant) ?? grant)],
            RedirectUris = redirects,
            PostLogoutRedirectUris = invocation.Values("logout-redirect"),
            Scopes = scopes,
            Audiences = invocation.Values("audience"),
            Jwks = invocation.Value("jwks") is { } jwks ? File.ReadAllText(jwks) : null,
            TlsSubject = invocation.Value("tls-subject"),
            Certificate = invocation.Value("certificate") is { } certificate ? File.ReadAllText(certificate) : null,
            BoundTokens = invocation.Flag("bound-tokens"),
            ServiceAccount = invocation.Value("service-account"),
            Trusted = invocation.Flag("trusted"),
            IdTokenAlgorithm = invocation.Value("id-token-alg"),
            BackChannelLogoutUri = invocation.Value("logout-uri"),
        };
        using var client = invocation.Connect();
        Show(invocation, client.Post(Routes.Query(IdentityRoutes.Clients, ("domain", domain)), request, Wire.Default.CreateClientRequest));
        return 0;
    }

    private static int Rotate(Invocation invocation)
    {
        using var client = invocation.Connect();
        Show(invocation, client.Post(
            IdentityRoutes.Entry(IdentityRoutes.Clients, invocation.Arguments[0], "secret"),
            new RotateSecretRequest { KeepSeconds = invocation.Number("keep", 0, int.MaxValue) ?? 0 },
            Wire.Default.RotateSecretRequest));
        return 0;
    }

    private static void Show(Invocation invocation, byte[] json)
    {
        if (invocation.WantsJson())
        {
            Writer.Json(json);
            return;
        }

        var report = Http.DaemonClient.Deserialize(json, Wire.Default.ClientSecretReport);
        Writer.Line(string.Create(CultureInfo.InvariantCulture, $"client_id: {report.Client.Id}"));
        if (report.Secret is not null)
            Writer.Line($"client_secret: {report.Secret}");
    }
}
