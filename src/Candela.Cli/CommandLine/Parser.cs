namespace Candela.Cli.CommandLine;

/// <summary>
/// Parses a command line in the manner of docker: options before or between arguments, <c>--name value</c>, <c>--name=value</c>,
/// <c>-abc</c>, <c>-n value</c>, <c>-nvalue</c>, <c>--</c>. For run and the like, options end at the first argument.
/// </summary>
internal static class Parser
{
    public static readonly Option Help = new("help", "Show this help") { Letter = 'h' };

    /// <summary>Options that every command takes.</summary>
    public static readonly IReadOnlyList<Option> Global =
    [
        new("host", "The daemon: unix://PATH or https://HOST[:PORT] (also: CANDELA_HOST)") { Letter = 'H', Value = "ADDRESS" },
        Help,
    ];

    public static Invocation Parse(Command root, IReadOnlyList<string> words)
    {
        var command = root;
        string path = root.Name;
        var globals = new List<(Option Option, string Value)>();
        int index = 0;
        bool help = false;
        while (index < words.Count && command.Subcommands.Count > 0)
        {
            string word = words[index];
            if (word.Length > 1 && word[0] == '-')
            {
                // Group options: only the global ones.
                index += ParseOption(command, words, index, path, (option, value) =>
                {
                    if (option == Help)
                        help = true;
                    else
                        globals.Add((option, value));
                });
                continue;
            }
            var next = command.Find(word);
            if (next is null)
            {
                if (command.Run is not null)
                    break;
                string near = Nearest(command, word) is { } guess ? $"; did you mean '{guess}'?" : "";
                throw new UsageException($"no such command: {path} {word}{near}") { Path = path };
            }
            command = next;
            path += " " + next.Name;
            index++;
        }

        var invocation = new Invocation(command, path) { HelpRequested = help };
        foreach (var (option, value) in globals)
            invocation.Add(option, value);

        bool optionsEnded = false;
        while (index < words.Count)
        {
            string word = words[index];
            if (!optionsEnded && word == "--")
            {
                optionsEnded = true;
                index++;
            }
            else if (!optionsEnded && word.Length > 1 && word[0] == '-')
            {
                index += ParseOption(command, words, index, path, (option, value) =>
                {
                    if (option == Help)
                        invocation.HelpRequested = true;
                    else
                        invocation.Add(option, value);
                });
            }
            else
            {
                invocation.Arguments.Add(word);
                optionsEnded |= command.OptionsEndAtFirstArgument;
                index++;
            }
        }

        if (!invocation.HelpRequested && command.Run is not null)
            CheckArgumentCount(invocation);
        return invocation;
    }

    public static Option? FindLong(Command command, string name) =>
        command.Options.Concat(Global).FirstOrDefault(option => option.Name == name);

    public static Option? FindLetter(Command command, char letter) =>
        command.Options.Concat(Global).FirstOrDefault(option => option.Letter == letter);

    private static int ParseOption(Command command, IReadOnlyList<string> words, int index, string path, Action<Option, string> add)
    {
        string word = words[index];
        if (word.StartsWith("--", StringComparison.Ordinal))
        {
            int equals = word.IndexOf('=', StringComparison.Ordinal);
            string name = equals < 0 ? word[2..] : word[2..equals];
            var option = FindLong(command, name) ?? throw new UsageException($"no such option: --{name}") { Path = path };
            if (equals >= 0)
            {
                string value = word[(equals + 1)..];
                if (option.IsFlag && value is not ("true" or "false" or "1" or "0"))
                    throw new UsageException($"--{name} is true or false, not '{value}'") { Path = path };
                add(option, value);
                return 1;
            }
            if (option.IsFlag)
            {
                add(option, "true");
                return 1;
            }
            add(option, index + 1 < words.Count ? words[index + 1] : throw NeedsValue(option, "--" + name, path));
            return 2;
        }

        for (int at = 1; at < word.Length; at++)
        {
            char letter = word[at];
            var option = FindLetter(command, letter) ?? throw new UsageException($"no such option: -{letter}") { Path = path };
            if (option.IsFlag)
            {
                add(option, "true");
                continue;
            }
            if (at + 1 < word.Length)
            {
                add(option, word[at + 1] == '=' ? word[(at + 2)..] : word[(at + 1)..]);
                return 1;
            }
            add(option, index + 1 < words.Count ? words[index + 1] : throw NeedsValue(option, "-" + letter, path));
            return 2;
        }
        return 1;
    }

    private static UsageException NeedsValue(Option option, string written, string path) =>
        new($"{written} needs a value: {option.Value}") { Path = path };

    private static void CheckArgumentCount(Invocation invocation)
    {
        var command = invocation.Command;
        int count = invocation.Arguments.Count;
        if (count < command.ArgumentsMinimum)
            throw new UsageException($"too few arguments: {invocation.Path} {command.Arguments}") { Path = invocation.Path };
        if (count > command.ArgumentsMaximum)
            throw new UsageException($"unexpected argument: {invocation.Arguments[command.ArgumentsMaximum]}") { Path = invocation.Path };
    }

    /// <summary>A command whose name differs in one or two letters.</summary>
    private static string? Nearest(Command group, string word) =>
        group.Subcommands.Where(command => !command.Hidden)
            .Select(command => (command.Name, Distance: Distance(command.Name, word)))
            .Where(candidate => candidate.Distance <= 2 && candidate.Distance < word.Length)
            .OrderBy(candidate => candidate.Distance)
            .Select(candidate => candidate.Name)
            .FirstOrDefault();

    /// <summary>Levenshtein distance.</summary>
    private static int Distance(string left, string right)
    {
        var row = new int[right.Length + 1];
        for (int j = 0; j <= right.Length; j++)
            row[j] = j;
        for (int i = 1; i <= left.Length; i++)
        {
            int diagonal = row[0];
            row[0] = i;
            for (int j = 1; j <= right.Length; j++)
            {
                int substituted = diagonal + (left[i - 1] == right[j - 1] ? 0 : 1);
                diagonal = row[j];
                row[j] = Math.Min(substituted, Math.Min(row[j], row[j - 1]) + 1);
            }
        }
        return row[^1];
    }
}
