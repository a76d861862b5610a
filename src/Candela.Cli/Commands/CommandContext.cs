using Candela.Cli.CommandLine;
using Candela.Cli.Http;
using Candela.Cli.Output;
using Candela.Cli.Remote;
using Candela.Model;

namespace Candela.Cli.Commands;

/// <summary>What commands share: the socket, output as table or JSON, the same action on several containers.</summary>
internal static class CommandContext
{
    private const string Https = "https://";

    public const string DefaultRunFolder = "/run/candela";

    /// <summary>Exit code when Candela itself failed, not the container (docker's).</summary>
    public const int ExitFailed = 125;

    public static readonly Option OutputOption = new("output", "table for people, json for programs")
    {
        Letter = 'o',
        Value = "FORMAT",
        Completes = Completes.Words,
        Words = ["table", "json"],
    };

    public static DaemonClient Connect(this Invocation invocation) => new(invocation.Address());

    /// <summary>The daemon that is meant: by --host, CANDELA_HOST, the current context, or that of this host.</summary>
    public static DaemonAddress Address(this Invocation invocation)
    {
        if (HostOf(invocation) is { } host)
            return host.StartsWith(Https, StringComparison.OrdinalIgnoreCase) ? Addresses.Remote(host) : new LocalAddress(SocketPath(invocation));
        return ContextStore.OfUser() is { Current: { } name } store ? Addresses.Saved(store, name) : new LocalAddress(SocketPath(invocation));
    }

    /// <summary>Socket of the daemon on this host, whatever the current context.</summary>
    public static string SocketPath(this Invocation invocation)
    {
        if (HostOf(invocation) is not { } host)
            return DefaultRunFolder + "/candela.sock";
        const string Scheme = "unix://";
        if (host.StartsWith(Scheme, StringComparison.Ordinal) && host.Length > Scheme.Length)
            return host[Scheme.Length..];
        if (host.StartsWith('/'))
            return host;
        throw host.StartsWith(Https, StringComparison.OrdinalIgnoreCase)
            ? new UsageException($"this is for the daemon on this host only: name it by unix:///PATH, not '{host}'")
            : new UsageException($"the host is unix:///PATH or https://HOST[:PORT], not '{host}'");
    }

    private static string? HostOf(Invocation invocation) =>
        invocation.Value("host") is { Length: > 0 } given ? given : Environment.GetEnvironmentVariable("CANDELA_HOST") is { Length: > 0 } usual ? usual : null;

    /// <summary>JSON is wanted.</summary>
    public static bool WantsJson(this Invocation invocation) => invocation.Value("output") switch
    {
        null or "table" => false,
        "json" => true,
        var other => throw new UsageException($"--output is table or json, not '{other}'"),
    };

    /// <summary>Does something with each named thing, goes on after a failure, and fails in the end if one did.</summary>
    public static int ForEach(IEnumerable<string> references, Action<string> action, bool printReference = true)
    {
        int exitCode = 0;
        foreach (string reference in references)
        {
            try
            {
                action(reference);
                if (printReference)
                    Writer.Line(reference);
            }
            catch (ApiException exception)
            {
                Writer.Error("error: " + exception.Message);
                exitCode = 1;
            }
        }
        return exitCode;
    }

    /// <summary>Runs an action that may find that nothing is to be done.</summary>
    public static void Tolerate(ErrorCode code, Action action)
    {
        try
        {
            action();
        }
        catch (ApiException exception) when (exception.Is(code))
        {
            // It is as wanted already.
        }
    }
}
