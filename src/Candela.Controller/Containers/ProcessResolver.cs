using Candela.Images;
using Candela.Model;

namespace Candela.Controller.Containers;

/// <summary>
/// What a container's specification and its image's configuration amount to. PATH, HOME, HOSTNAME and TERM are not here: they
/// depend on the container's host name, terminal and passwd file and are added by the guest when absent.
/// </summary>
internal static class ProcessResolver
{
    /// <summary>The main process.</summary>
    /// <exception cref="CandelaException">InvalidArgument: there is no command, or a value is out of range.</exception>
    public static ProcessConfiguration Resolve(ContainerSpec spec, ImageConfiguration image)
    {
        // An overridden entrypoint takes the image's command away, too: it was meant for the image's entrypoint.
        var entrypoint = spec.Entrypoint ?? image.Entrypoint ?? [];
        var command = spec.Command ?? (spec.Entrypoint is null ? image.Command : null) ?? [];
        if (entrypoint.Count + command.Count == 0)
            throw new CandelaException(ErrorCode.InvalidArgument, "No command specified");
        var stopSignal = spec.StopSignal ?? image.StopSignal;
        var process = new ProcessConfiguration
        {
            Arguments = [.. entrypoint, .. command],
            Environment = MergeEnvironment(image.Environment, spec.Environment),
            WorkingDirectory = WorkingDirectory(spec.WorkingDirectory ?? image.WorkingDirectory),
            User = spec.User ?? image.User,
            Tty = spec.Tty,
            OpenStdin = spec.OpenStdin,
            Privileged = spec.Privileged,
            StopSignal = stopSignal.Length > 0 ? SignalNumbers.Parse(stopSignal) : SignalNumbers.Terminate,
        };
        SpecCheck.Check(process);
        return process;
    }

    /// <summary>A process beside the main one.</summary>
    /// <exception cref="CandelaException">InvalidArgument.</exception>
    public static ProcessConfiguration Resolve(ExecSpec spec, Container container)
    {
        if (spec.Arguments.Count == 0)
            throw new CandelaException(ErrorCode.InvalidArgument, "No exec command specified");
        var main = container.Process;
        var process = main with
        {
            Arguments = spec.Arguments,
            Environment = MergeEnvironment(main.Environment, spec.Environment),
            WorkingDirectory = spec.WorkingDirectory is { Length: > 0 } folder ? WorkingDirectory(folder) : main.WorkingDirectory,
            User = spec.User ?? main.User,
            Tty = spec.Tty,
            OpenStdin = spec.AttachStdin,
            Privileged = spec.Privileged || main.Privileged,
        };
        SpecCheck.Check(process);
        return process;
    }

    /// <summary>Later variables replace earlier ones in their place; a name without <c>=</c> removes.</summary>
    public static IReadOnlyList<string> MergeEnvironment(IReadOnlyList<string> below, IReadOnlyList<string> above)
    {
        var result = new List<string>(below.Count + above.Count);
        var places = new Dictionary<string, int>(below.Count + above.Count, StringComparer.Ordinal);
        foreach (var variable in below.Concat(above))
        {
            var equals = variable.IndexOf('=', StringComparison.Ordinal);
            var name = equals < 0 ? variable : variable[..equals];
            if (name.Length == 0)
                throw new CandelaException(ErrorCode.InvalidArgument, $"invalid environment variable: {variable}");
            if (equals < 0)
            {
                if (places.Remove(name, out var removed))
                    result[removed] = "";
            }
            else if (places.TryGetValue(name, out var place))
            {
                result[place] = variable;
            }
            else
            {
                places[name] = result.Count;
                result.Add(variable);
            }
        }

        result.RemoveAll(static variable => variable.Length == 0);
        return result;
    }

    private static string WorkingDirectory(string folder)
    {
        if (folder.Length == 0)
            return "/";
        if (folder[0] != '/')
            throw new CandelaException(ErrorCode.InvalidArgument, $"the working directory '{folder}' is invalid, it needs to be an absolute path");
        return folder;
    }
}
