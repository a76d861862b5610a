using Candela.Cli.CommandLine;
using Candela.Cli.Http;
using Candela.Cli.Output;
using Candela.Model;

namespace Candela.Cli.Commands;

/// <summary>What commands share: the socket, output as table or JSON, the same action on several containers.</summary>
internal static class CommandContext
{
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

    public static DaemonClient Connect(this Invocation invocation) => new(invocation.SocketPath());

    public static string SocketPath(this Invocation invocation)
    {
        string? host = invocation.Value("host") ?? Environment.GetEnvironmentVariable("CANDELA_HOST");
        if (string.IsNullOrEmpty(host))
            return DefaultRunFolder + "/candela.sock";
        const string Scheme = "unix://";
        if (host.StartsWith(Scheme, StringComparison.Ordinal) && host.Length > Scheme.Length)
            return host[Scheme.Length..];
        if (host.StartsWith('/'))
            return host;
        throw new UsageException($"the host must be a Unix socket, unix:///PATH, not '{host}'");
    }

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
