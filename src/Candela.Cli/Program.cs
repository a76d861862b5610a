using System.Net.Sockets;
using System.Reflection;
using Candela.Cli.CommandLine;
using Candela.Cli.Commands;
using Candela.Cli.Http;
using Candela.Cli.Output;
using Candela.Cli.Remote;
using Candela.Cli.Terminal;
using Candela.Model;

namespace Candela.Cli;

/// <summary><c>candela</c>: a thin client of the daemon's REST API.</summary>
internal static class Program
{
    private const int ExitUsage = 2;
    private const int ExitFailure = 1;

    public static string Version { get; } =
        typeof(Program).Assembly.GetCustomAttribute<AssemblyInformationalVersionAttribute>()?.InformationalVersion.Split('+')[0] ?? "";

    private static int Main(string[] arguments)
    {
        if (arguments is ["--version"])
        {
            Writer.Line($"candela {Version}");
            return 0;
        }
        bool runsContainer = arguments.FirstOrDefault(word => !word.StartsWith('-')) is "run" or "create" or "start" or "exec" or "attach";
        try
        {
            var invocation = Parser.Parse(Root.Create(), arguments);
            if (invocation.HelpRequested || invocation.Command.Run is null)
            {
                string help = HelpText.Of(invocation.Command, invocation.Path);
                if (invocation.HelpRequested || arguments.Length == 0)
                {
                    Writer.Out(help);
                    return 0;
                }
                Writer.Error(help.TrimEnd('\n'));
                return ExitUsage;
            }
            return invocation.Command.Run(invocation);
        }
        catch (UsageException exception)
        {
            Writer.Error($"error: {exception.Message}\n'{exception.Path ?? "candela"} --help' says more.");
            return runsContainer ? CommandContext.ExitFailed : ExitUsage;
        }
        catch (StandardStreamException exception) when (exception.IsBrokenPipe)
        {
            return ExitFailure;
        }
        catch (ApiException exception)
        {
            Writer.Error("error: " + exception.Message);
            return !runsContainer ? ExitFailure
                : exception.Is(ErrorCode.CommandNotFound) ? 127
                : exception.Is(ErrorCode.CommandNotExecutable) ? 126
                : CommandContext.ExitFailed;
        }
        catch (Exception exception) when (exception is DaemonUnreachableException or OAuthErrorException or IOException or SocketException or InvalidDataException or
            InvalidOperationException or TimeoutException or UnauthorizedAccessException)
        {
            Writer.Error("error: " + exception.Message);
            return runsContainer ? CommandContext.ExitFailed : ExitFailure;
        }
    }
}
