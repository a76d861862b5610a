using Candela.Cli.Api;
using Candela.Cli.CommandLine;
using Candela.Cli.Http;
using Candela.Cli.Output;
using Candela.Cli.Remote;
using Candela.Cli.Terminal;

namespace Candela.Cli.Commands.Identity;

/// <summary>login, logout: at daemons elsewhere.</summary>
internal static class LoginCommands
{
    public static readonly Command Login = new("login", "Sign in at a daemon elsewhere, and work with it from now on")
    {
        Arguments = "[https://HOST[:PORT]]",
        ArgumentsMaximum = 1,
        Options =
        [
            new("name", "Name of the context that is made (default: the host's name)") { Value = "CONTEXT" },
            new("ca-file", "Trust the certificates in this file (PEM), and none else; a copy is kept") { Value = "FILE", Completes = Completes.Files },
            new("browser", "By a browser on this host (default where there is a desktop)"),
            new("device", "By a code, and a browser anywhere (default elsewhere)"),
            new("client-id", "As a program, with the secret of its client, which is asked for or read from standard input") { Value = "ID" },
        ],
        Description = """
            Without an address: again at the daemon of the current context. Passwords are given to the daemon's sign-in page only, never to this program.
            Tokens are kept in $XDG_CONFIG_HOME/candela (or ~/.config/candela), readable by you alone, and renewed by themselves. The environment can say
            the same for one command: CANDELA_HOST=https://HOST, CANDELA_CA_FILE=FILE, CANDELA_TOKEN=TOKEN.
            """,
        Examples =
        [
            ("login https://candela.example:8443 --ca-file roots.pem", "then: candela ps"),
            ("login https://candela.example:8443 --client-id ci < secret", "a program, by a service account's client"),
        ],
        Run = SignIn,
    };

    public static readonly Command Logout = new("logout", "Sign out at a daemon elsewhere: its tokens are worth nothing from now on")
    {
        Arguments = "[CONTEXT]",
        ArgumentsMaximum = 1,
        ArgumentCompletes = [Completes.Contexts],
        Examples = [("logout", "at the daemon of the current context")],
        Run = SignOut,
    };

    private static int SignIn(Invocation invocation)
    {
        var store = ContextStore.OfUserOrFail();
        string? former = invocation.Arguments.Count == 0
            ? invocation.Value("name") ?? store.Current ?? throw new UsageException("where? candela login https://HOST") { Path = invocation.Path }
            : null;
        var url = Addresses.Url(former is null ? invocation.Arguments[0] : store.Get(former).Url);
        string name = ContextStore.Checked(former ?? invocation.Value("name") ?? store.NameOf(Addresses.Canonical(url)) ?? DefaultName(url));
        var before = store.Find(name);
        if (before is not null && before.Url != Addresses.Canonical(url))
            throw new UsageException($"the context {name} is {before.Url}: give this one another --name") { Path = invocation.Path };
        string? roots = invocation.Value("ca-file") is { } file ? File.ReadAllText(file) : before?.Roots;
        if (roots is not null)
            _ = Addresses.Roots(roots, invocation.Value("ca-file") ?? "the context");
        if (invocation.Flag("browser") && invocation.Flag("device"))
            throw new UsageException("--browser or --device") { Path = invocation.Path };

        string? client = invocation.Value("client-id");
        var context = new SavedContext { Url = Addresses.Canonical(url), Roots = roots, ClientId = client ?? Provider.CommandLineClient };
        var provider = Provider.Discover(context.Address(null));
        context = context with { TokenPath = provider.PathOf("token_endpoint"), RevocationPath = provider.PathOf("revocation_endpoint") };
        try
        {
            context = client is not null ? Tokens.ForClient(context with { ClientSecret = Secrets.Read($"Secret of the client {client}") })
                : Tokens.With(context, invocation.Flag("browser") || (!invocation.Flag("device") && HasDesktop) ? BrowserSignIn.Run(provider) : DeviceSignIn.Run(provider));
        }
        catch (OAuthErrorException exception)
        {
            throw new InvalidOperationException($"{context.Url} refuses the sign-in: {exception.Message}", exception);
        }
        string access = context.AccessToken!;
        using var daemon = new DaemonClient(context.Address(() => access));
        context = context with { Account = daemon.Get(IdentityRoutes.WhoAmI, Wire.Default.WhoAmIReport).Name };
        using (store.Lock())
        {
            store.Save(name, context);
            store.Use(name);
        }
        if (before is not null)
            Forget(before);
        Writer.Error($"signed in at {context.Url} as {context.Account}; commands go there from now on ('candela context use {ContextStore.Local}' for this host's daemon)");
        return 0;
    }

    private static int SignOut(Invocation invocation)
    {
        var store = ContextStore.OfUserOrFail();
        string name = invocation.Arguments.FirstOrDefault() ?? store.Current ?? throw new UsageException("nobody is signed in anywhere: this host's daemon knows its users by its socket") { Path = invocation.Path };
        SavedContext context;
        using (store.Lock())
        {
            context = store.Get(name);
            store.Save(name, context.SignedOut());
        }
        // Forgotten here whatever the daemon says; if it cannot be reached, its tokens go on to be good until they end.
        Revoke(context);
        Writer.Error($"signed out at {context.Url}");
        return 0;
    }

    private static void Revoke(SavedContext context)
    {
        try
        {
            Tokens.Revoke(context);
        }
        catch (OAuthErrorException exception)
        {
            throw new InvalidOperationException($"the tokens are forgotten here, but {context.Url} did not end the sign-in: {exception.Message}", exception);
        }
    }

    /// <summary>The former sign-in of a context that was signed in anew.</summary>
    private static void Forget(SavedContext context)
    {
        try
        {
            Tokens.Revoke(context);
        }
        catch (Exception exception) when (exception is OAuthErrorException or DaemonUnreachableException or InvalidOperationException)
        {
            Writer.Error($"the former sign-in was not ended: {exception.Message}");
        }
    }

    private static bool HasDesktop => Environment.GetEnvironmentVariable("DISPLAY") is { Length: > 0 } || Environment.GetEnvironmentVariable("WAYLAND_DISPLAY") is { Length: > 0 };

    private static string DefaultName(Uri url) => url.IsDefaultPort ? Plain(url.Host) : $"{Plain(url.Host)}-{url.Port}";

    private static string Plain(string host) => host.Trim('[', ']').Replace(':', '-');
}
