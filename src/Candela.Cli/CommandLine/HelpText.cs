using System.Text;

namespace Candela.Cli.CommandLine;

/// <summary>Writes the help of a command.</summary>
internal static class HelpText
{
    public static string Of(Command command, string path)
    {
        var text = new StringBuilder();
        text.Append(command.Summary).Append("\n\nUsage: ").Append(path);
        if (command.Options.Count > 0)
            text.Append(" [OPTION...]");
        if (command.Subcommands.Count > 0)
            text.Append(" COMMAND");
        if (command.Arguments.Length > 0)
            text.Append(' ').Append(command.Arguments);
        text.Append('\n');
        if (command.Description.Length > 0)
            text.Append('\n').Append(command.Description).Append('\n');

        var subcommands = command.Subcommands.Where(subcommand => !subcommand.Hidden).ToList();
        if (subcommands.Count > 0)
            AppendColumns(text, "Commands", subcommands.Select(subcommand => (subcommand.Name, subcommand.Summary)));
        if (command.Options.Count > 0)
            AppendColumns(text, "Options", command.Options.Select(Describe));
        AppendColumns(text, "Everywhere", Parser.Global.Select(Describe));
        if (command.Examples.Count > 0)
            AppendColumns(text, "Examples", command.Examples.Select(example => ("candela " + example.Line, example.What)));
        if (subcommands.Count > 0)
            text.Append($"\n'{path} COMMAND --help' says more about a command.\n");
        return text.ToString();
    }

    private static (string, string) Describe(Option option)
    {
        string letter = option.Letter == '\0' ? "    " : $"-{option.Letter}, ";
        string value = option.IsFlag ? "" : " " + option.Value;
        return ($"{letter}--{option.Name}{value}", option.Help);
    }

    private static void AppendColumns(StringBuilder text, string title, IEnumerable<(string Left, string Right)> rows)
    {
        const int WidestLeft = 42;
        var list = rows.ToList();
        int width = Math.Min(WidestLeft, list.Max(row => row.Left.Length));
        text.Append('\n').Append(title).Append(":\n");
        foreach (var (left, right) in list)
        {
            text.Append("  ").Append(left);
            if (left.Length > width)
                text.Append('\n').Append(' ', width + 2);
            else
                text.Append(' ', width - left.Length);
            text.Append("  ").Append(right).Append('\n');
        }
    }
}
