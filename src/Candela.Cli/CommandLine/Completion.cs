using Candela.Cli.Api;
using Candela.Cli.Commands;
using Candela.Cli.Http;
using Candela.Cli.Output;
using Candela.Cli.Remote;
using Candela.Model;

namespace Candela.Cli.CommandLine;

/// <summary>
/// Completion for bash: the script asks this program, which knows commands, options and, from the daemon, names.
/// </summary>
internal static class Completion
{
    /// <summary>Tells the script to complete file names.</summary>
    private const string FilesDirective = ":files";

    private const string BashScript = """
        # bash completion for candela; use: source <(candela completion bash)
        _candela() {
            local words IFS=$'\n' current=${COMP_WORDS[COMP_CWORD]}
            words=($("${COMP_WORDS[0]}" __complete -- "${COMP_WORDS[@]:1:COMP_CWORD}" 2>/dev/null))
            if [ "${words[0]}" = ':files' ]; then
                compopt -o filenames
                COMPREPLY=($(compgen -f -- "$current"))
            else
                COMPREPLY=($(compgen -W "${words[*]}" -- "$current"))
            fi
        }
        complete -F _candela candela

        """;

    public static readonly Command Script = new("completion", "Print a completion script for the shell")
    {
        Subcommands =
        [
            new("bash", "Completion for bash")
            {
                ArgumentsMaximum = 0,
                Examples = [("completion bash > /etc/bash_completion.d/candela", "for all users")],
                Run = _ =>
                {
                    Writer.Out(BashScript);
                    return 0;
                },
            },
        ],
    };

    /// <summary>Called by the script: <c>candela __complete -- WORD...</c>, the last word is the one to complete.</summary>
    public static Command Hook(Func<Command> root) => new("__complete", "")
    {
        Hidden = true,
        Run = invocation =>
        {
            Writer.Out(string.Concat(Candidates(root(), invocation.Arguments).Select(candidate => candidate + "\n")));
            return 0;
        },
    };

    public static IEnumerable<string> Candidates(Command root, IReadOnlyList<string> words)
    {
        string current = words.Count > 0 ? words[^1] : "";
        var command = root;
        string? host = null;
        Option? awaiting = null;
        int arguments = 0;
        bool optionsEnded = false;
        for (int index = 0; index < words.Count - 1; index++)
        {
            string word = words[index];
            if (awaiting is not null && word == "=")
                continue; // bash splits --name=value into three words.
            if (awaiting is not null)
            {
                if (awaiting.Name == "host")
                    host = word;
                awaiting = null;
            }
            else if (!optionsEnded && word.Length > 1 && word[0] == '-')
            {
                awaiting = OptionOf(command, word) is { IsFlag: false } option && !word.Contains('=', StringComparison.Ordinal) ? option : null;
            }
            else if (command.Find(word) is { } next && arguments == 0)
            {
                command = next;
            }
            else
            {
                arguments++;
                optionsEnded |= command.OptionsEndAtFirstArgument;
            }
        }

        if (awaiting is not null && current == "=")
            return [];
        if (awaiting is not null)
            return Values(awaiting.Completes, awaiting.Words, host);
        if (!optionsEnded && current.StartsWith('-'))
            return command.Options.Concat(Parser.Global).Select(option => "--" + option.Name);
        if (command.Subcommands.Count > 0)
            return command.Subcommands.Where(subcommand => !subcommand.Hidden).Select(subcommand => subcommand.Name);
        var kinds = command.ArgumentCompletes;
        return kinds.Count == 0 ? [] : Values(kinds[Math.Min(arguments, kinds.Count - 1)], [], host);
    }

    private static Option? OptionOf(Command command, string word) => word.StartsWith("--", StringComparison.Ordinal)
        ? Parser.FindLong(command, word[2..])
        : word.Length == 2 ? Parser.FindLetter(command, word[1]) : null;

    private static IEnumerable<string> Values(Completes kind, IReadOnlyList<string> words, string? host)
    {
        if (kind == Completes.Files)
            return [FilesDirective];
        if (kind == Completes.Words)
            return words;
        if (kind == Completes.Nothing)
            return [];
        if (kind == Completes.Contexts)
            return [ContextStore.Local, .. ContextStore.OfUser()?.Names ?? []];
        var invocation = new Invocation(Script, "");
        if (host is not null)
            invocation.Add(Parser.Global[0], host);
        try
        {
            using var client = invocation.Connect();
            return kind switch
            {
                Completes.Images => client.Get(Routes.Images, Wire.Default.IReadOnlyListImageRow).SelectMany(image => image.Tags ?? []),
                Completes.Segments => client.Get(NetworkRoutes.Segments, Wire.Default.IReadOnlyListContainerNetwork).Select(segment => segment.Name),
                Completes.SecurityGroups => client.Get(NetworkRoutes.SecurityGroups, Wire.Default.IReadOnlyListSecurityGroup).Select(group => group.Name),
                Completes.NetworkPolicies => client.Get(NetworkRoutes.NetworkPolicies, Wire.Default.IReadOnlyListNetworkPolicy).Select(policy => policy.Name),
                Completes.Domains => client.Get(IdentityRoutes.Domains, Wire.Default.IReadOnlyListDomainReport).Select(domain => domain.Name),
                Completes.Users => client.Get(IdentityRoutes.Users, Wire.Default.IReadOnlyListAccountReport).Select(account => account.Name),
                Completes.ServiceAccounts => client.Get(IdentityRoutes.ServiceAccounts, Wire.Default.IReadOnlyListAccountReport).Select(account => account.Name),
                Completes.Groups => client.Get(IdentityRoutes.Groups, Wire.Default.IReadOnlyListGroupReport).Select(group => group.Name),
                Completes.Roles => client.Get(IdentityRoutes.Roles, Wire.Default.IReadOnlyListRoleReport).Select(role => role.Name),
                Completes.Clients => client.Get(IdentityRoutes.Clients, Wire.Default.IReadOnlyListClientReport).Select(one => one.Id),
                Completes.Parents => client.Get(Routes.Parents, Wire.Default.IReadOnlyListParentRow).Select(parent => parent.Key),
                _ => client.Get(Routes.Query(Routes.Containers, ("all", "true")), Wire.Default.IReadOnlyListContainer)
                    .Where(container => kind == Completes.Containers || container.Status.State is ContainerState.Running or ContainerState.Paused)
                    .Select(container => container.Name),
            };
        }
        catch (Exception exception) when (exception is ApiException or DaemonUnreachableException or UsageException or IOException or InvalidOperationException)
        {
            // Without the daemon there is nothing to offer; a message in the middle of a command line would only disturb.
            return [];
        }
    }
}
