using Candela.Build.Dockerfiles;
using Candela.Model;

namespace Candela.Build.Steps;

/// <summary>RUN: what its container is to do.</summary>
internal static class RunStep
{
    /// <summary>Program and arguments.</summary>
    /// <exception cref="CandelaException">InvalidArgument: what is meant needs another builder.</exception>
    public static IReadOnlyList<string> Command(Instruction instruction, StageState stage)
    {
        foreach ((string name, string value) in instruction.Flags)
        {
            if (name != "network" || value is not ("default" or "none"))
                throw DockerfileException.Syntax(instruction.Line, $"the --{DockerfileException.Shorten(name)} option is not supported: it needs BuildKit");
        }

        if (instruction.Heredocs.Count == 0 && Words.ParseList(instruction.Arguments) is { } list)
            return list.Count > 0 ? list : throw DockerfileException.Syntax(instruction.Line, "RUN requires at least one argument");
        string script = Script(instruction);
        return script.Length > 0 ? [.. stage.Shell, script] : throw DockerfileException.Syntax(instruction.Line, "RUN requires at least one argument");
    }

    private static string Script(Instruction instruction)
    {
        if (instruction.Heredocs is not [var heredoc, ..])
            return instruction.Arguments;
        bool isAlone = instruction.Heredocs.Count == 1 && instruction.Arguments.StartsWith("<<", StringComparison.Ordinal) && !instruction.Arguments.Contains(' ', StringComparison.Ordinal);
        if (!isAlone) // the shell reads them itself
            return instruction.Arguments + "\n" + string.Concat(instruction.Heredocs.Select(static one => one.Content + one.Name + "\n"));
        if (!heredoc.Content.StartsWith("#!", StringComparison.Ordinal))
            return heredoc.Content;
        string interpreter = heredoc.Content[2..].Split('\n')[0].Trim();
        return $"{interpreter} <<'{heredoc.Name}'\n{heredoc.Content}{heredoc.Name}\n";
    }
}
