using Candela.Guest.Native;
using Candela.Guest.Protocol;

namespace Candela.Guest.Processes.Launch;

/// <summary>Tells why a child could not execute its program, in the words that Docker's users know.</summary>
internal static class LaunchFailure
{
    public static AgentFailure Of(LaunchStep step, int error, string program, string workingDirectory, bool searched)
    {
        var text = Errno.Text(error);
        return step switch
        {
            LaunchStep.Find when searched => new(AgentError.CommandNotFound, $"exec: \"{program}\": executable file not found in $PATH"),
            LaunchStep.Find when error == Linux.ENOENT => new(AgentError.CommandNotFound, $"exec: \"{program}\": stat {program}: {text}"),
            LaunchStep.Find => new(AgentError.CommandNotExecutable, $"exec: \"{program}\": {text}"),
            LaunchStep.Execute when error == Linux.ENOENT => new(AgentError.CommandNotFound, $"exec {program}: {text}"),
            LaunchStep.Execute => new(AgentError.CommandNotExecutable, $"exec {program}: {text}"),
            LaunchStep.WorkingDirectory => BadWorkingDirectory(workingDirectory, text),
            LaunchStep.Rlimit => new(AgentError.InvalidArgument, $"error setting rlimits for ready process: {text}"),
            _ => new(AgentError.Failed, $"start {program}: {Name(step)}: {text}"),
        };
    }

    public static AgentFailure BadWorkingDirectory(string path, string text) =>
        new(AgentError.BadWorkingDirectory, $"chdir to cwd (\"{path}\") set in config.json failed: {text}");

    private static string Name(LaunchStep step) => step switch
    {
        LaunchStep.JoinCgroup => "join the cgroup",
        LaunchStep.JoinNamespaces => "join the namespaces",
        LaunchStep.EnterRoot => "enter the root",
        LaunchStep.MountProc => "mount /proc",
        LaunchStep.OpenTerminal => "open the terminal",
        LaunchStep.Stdio => "set up the standard streams",
        LaunchStep.OomScore => "set oom_score_adj",
        LaunchStep.User => "become the user",
        LaunchStep.Capabilities => "set the capabilities",
        _ => "clone",
    };
}
