using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Candela.Cli.CommandLine;
using Candela.Cli.Http;

namespace Candela.Cli.Remote;

/// <summary>From what users write to addresses of daemons.</summary>
internal static class Addresses
{
    /// <summary>Environment variable: a bearer token, for programs.</summary>
    private const string TokenVariable = "CANDELA_TOKEN";

    /// <summary>Environment variable: file with the certificates to trust, for programs.</summary>
    private const string RootsVariable = "CANDELA_CA_FILE";

    /// <summary>Reads <c>https://HOST[:PORT]</c>.</summary>
    /// <exception cref="UsageException">It is something else.</exception>
    public static Uri Url(string text) =>
        Uri.TryCreate(text, UriKind.Absolute, out var url) && url is { Scheme: "https", PathAndQuery: "/", Fragment: "", UserInfo: "" }
            ? url
            : throw new UsageException($"a daemon elsewhere is https://HOST or https://HOST:PORT, not '{text}'");

    /// <summary>Scheme, host and port, as all know it.</summary>
    public static string Canonical(Uri url) => url.GetLeftPart(UriPartial.Authority);

    /// <summary>Certificates in PEM.</summary>
    /// <exception cref="UsageException">There is none in it.</exception>
    public static X509Certificate2Collection Roots(string pem, string from)
    {
        var roots = new X509Certificate2Collection();
        try
        {
            roots.ImportFromPem(pem);
        }
        catch (CryptographicException exception)
        {
            throw new UsageException($"{from} is damaged: {exception.Message}");
        }
        return roots.Count > 0 ? roots : throw new UsageException($"there is no certificate in PEM in {from}");
    }

    /// <summary>The daemon that a user names: by the environment's token, if there is one, else as signed in there.</summary>
    public static DaemonAddress Remote(string text)
    {
        var url = Url(text);
        var store = ContextStore.OfUser();
        string? name = store?.NameOf(Canonical(url));
        return name is null ? Unsaved(url) : Saved(store!, name);
    }

    /// <summary>The daemon of a context.</summary>
    public static DaemonAddress Saved(ContextStore store, string name)
    {
        var context = store.Get(name);
        return context.Address(FromEnvironment(TokenVariable) is { } token ? () => token : new Tokens(store, name).Current);
    }

    extension(SavedContext context)
    {
        /// <summary>Where it is.</summary>
        /// <param name="token">Gives a bearer token; null: none is sent.</param>
        public RemoteAddress Address(Func<string?>? token) => new(
            Url(context.Url),
            FromEnvironment(RootsVariable) is { } file ? Roots(File.ReadAllText(file), file) : context.Roots is { } pem ? Roots(pem, "the context") : null,
            token ?? (() => null));
    }

    private static RemoteAddress Unsaved(Uri url) => new SavedContext { Url = Canonical(url) }.Address(() => FromEnvironment(TokenVariable));

    private static string? FromEnvironment(string name) => Environment.GetEnvironmentVariable(name) is { Length: > 0 } value ? value : null;
}
