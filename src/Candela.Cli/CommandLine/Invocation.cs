using System.Globalization;

namespace Candela.Cli.CommandLine;

/// <summary>A parsed command line.</summary>
internal sealed class Invocation(Command command, string path)
{
    private readonly Dictionary<string, List<string>> values = [];

    public Command Command { get; } = command;

    /// <summary>Full name, for example <c>candela parent ls</c>.</summary>
    public string Path { get; } = path;

    public List<string> Arguments { get; } = [];

    public bool HelpRequested { get; set; }

    public void Add(Option option, string value)
    {
        if (!values.TryGetValue(option.Name, out var list))
            values[option.Name] = list = [];
        if (!option.Repeatable)
            list.Clear();
        list.Add(value);
    }

    public bool Has(string option) => values.ContainsKey(option);

    /// <summary>Value of a flag; absent: false. <c>--flag=false</c> is understood.</summary>
    public bool Flag(string option) => Value(option) is { } value && value is not ("false" or "0");

    public string? Value(string option) => values.TryGetValue(option, out var list) ? list[^1] : null;

    public IReadOnlyList<string> Values(string option) => values.TryGetValue(option, out var list) ? list : [];

    /// <summary>A whole number within limits, or null when the option is absent.</summary>
    public int? Number(string option, int minimum, int maximum)
    {
        if (Value(option) is not { } text)
            return null;
        if (!int.TryParse(text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out int number) || number < minimum || number > maximum)
            throw new UsageException($"--{option} takes a whole number from {minimum} to {maximum}, not '{text}'");
        return number;
    }
}

/// <summary>The command line is wrong. Exit code 125 for run, create and exec as with docker, else 2.</summary>
internal sealed class UsageException(string message) : Exception(message)
{
    /// <summary>Name of the command whose help says more.</summary>
    public string? Path { get; init; }
}
