using Candela.Build.Dockerfiles;
using Candela.Images;
using Candela.Images.Files;

namespace Candela.Build.Steps;

/// <summary>A stage of a build, between two steps.</summary>
internal sealed class StageState(int index, string name, char escape) : IDisposable
{
    private static readonly string[] _defaultShell = ["/bin/sh", "-c"];

    /// <summary>ARGs that need no declaration, and are in no history.</summary>
    public static readonly HashSet<string> PredefinedArguments =
    [
        "HTTP_PROXY", "http_proxy", "HTTPS_PROXY", "https_proxy", "FTP_PROXY", "ftp_proxy", "NO_PROXY", "no_proxy", "ALL_PROXY", "all_proxy",
    ];

    /// <summary>Its number, from 0.</summary>
    public int Index => index;

    /// <summary>Its name, or empty.</summary>
    public string Name => name;

    /// <summary>What it is so far; null: an empty file system.</summary>
    public Image? Image { get; set; }

    /// <summary>Its configuration so far.</summary>
    public ImageConfiguration Configuration { get; set; } = new();

    /// <summary>Author so far.</summary>
    public string Author { get; set; } = "";

    /// <summary>A CMD was given in this stage.</summary>
    public bool HasCommand { get; set; }

    /// <summary>ARGs declared so far, in order; null: without a value.</summary>
    public List<(string Name, string? Value)> Arguments { get; } = [];

    /// <summary>Its files, when they have been looked at; forgotten when a command may have changed them.</summary>
    public FileTree? Files { get; set; }

    /// <summary>Shell of the shell forms.</summary>
    public IReadOnlyList<string> Shell => Configuration.Shell ?? _defaultShell;

    /// <summary>Replaces variables: of the environment first, then ARGs.</summary>
    public Substitution Substitution => new(Value, escape);

    /// <summary>What a command sees of the ARGs: not those that the environment hides.</summary>
    public IReadOnlyList<string> ArgumentVariables =>
        [.. Arguments.Where(argument => argument.Value is not null && EnvironmentValue(argument.Name) is null).Select(static argument => $"{argument.Name}={argument.Value}")];

    /// <summary>Declares an ARG, or gives it another value.</summary>
    public void SetArgument(string argument, string? value)
    {
        Arguments.RemoveAll(known => known.Name == argument);
        Arguments.Add((argument, value));
    }

    /// <summary>Sets a variable of the environment.</summary>
    public static IReadOnlyList<string> WithVariable(IReadOnlyList<string> environment, string variable, string value)
    {
        List<string> changed = [.. environment];
        int at = changed.FindIndex(known => known.Split('=', 2)[0] == variable);
        if (at < 0)
            changed.Add($"{variable}={value}");
        else
            changed[at] = $"{variable}={value}";
        return changed;
    }

    /// <summary>Forgets what the files were.</summary>
    public void ForgetFiles()
    {
        Files?.Dispose();
        Files = null;
    }

    public void Dispose() => ForgetFiles();

    private string? Value(string variable)
    {
        if (EnvironmentValue(variable) is { } set)
            return set;
        return Arguments.LastOrDefault(argument => argument.Name == variable).Value;
    }

    private string? EnvironmentValue(string variable) =>
        Configuration.Environment.LastOrDefault(known => known.StartsWith(variable + "=", StringComparison.Ordinal))?[(variable.Length + 1)..];
}
