using System.Runtime.InteropServices;
using Candela.Guest.Container;
using Candela.Guest.Native;
using Candela.Guest.Protocol;
using Candela.Guest.Protocol.Host;

namespace Candela.Guest.Processes.Launch;

/// <summary>A process that executes its program.</summary>
/// <param name="HostPid">Pid for the agent.</param>
/// <param name="Pid">Pid in the container.</param>
/// <param name="PidFd">Readable when it has ended.</param>
internal readonly record struct Launched(int HostPid, int Pid, int PidFd);

/// <summary>
/// Starts processes as vfork does: the child borrows the agent's memory until it executes its program, so a start costs
/// no copy and no second runtime, and its result simply stands in the <see cref="LaunchBlock"/>.
/// </summary>
internal sealed unsafe class Launcher(ContainerCgroup cgroup)
{
    private const int StackBytes = 256 * 1024;
    private const int StackAlignment = 4096;

    private readonly byte* _stackTop = (byte*)NativeMemory.AlignedAlloc(StackBytes, StackAlignment) + StackBytes;
    private readonly int _ownPids = Errno.Check(Libc.open("/proc/self/ns/pid", Linux.O_RDONLY | Linux.O_CLOEXEC, 0), "open the pid namespace");

    private readonly ulong _changedSignals = SignalActions.Changed();

    /// <summary>Starts the container's first process (<paramref name="container"/> null) or one more in its namespaces.</summary>
    /// <exception cref="AgentFailure">Anything failed; no process is left.</exception>
    public Launched Launch(GuestProcess process, ProcessUser user, string hostname, Stdio stdio, ContainerRoot root, Namespaces? container)
    {
        if (process.Arguments.Count == 0)
            throw new AgentFailure(AgentError.InvalidArgument, "no command specified");
        var program = process.Arguments[0];
        for (var i = 0; i < process.Arguments.Count; i++)
            RootedPath.Checked(process.Arguments[i], "an argument");
        var folder = RootedPath.Checked(process.WorkingDirectory.Length == 0 ? "/" : process.WorkingDirectory, "the working directory");
        if (container is null)
            Prepare(root, folder);

        using var arena = new NativeArena();
        var environment = EnvironmentList.Make(process, hostname, user.Home);
        var block = arena.Array<LaunchBlock>(1);
        block->IsMain = container is null;
        block->Privileged = root.IsPrivileged;
        block->ChangedSignals = _changedSignals;
        block->Root = arena.Text(GuestPaths.Root);
        block->CgroupProcs = cgroup.Procs;
        block->MountNamespace = container?.Mount ?? -1;
        block->CgroupNamespace = container?.Cgroup ?? -1;
        block->Terminal = stdio.Terminal is { } terminal ? arena.Text(terminal) : null;
        (block->Stdin, block->Stdout, block->Stderr) = (stdio.ChildInput, stdio.ChildOutput, stdio.ChildError);
        block->WorkingDirectory = arena.Text(folder);
        block->Searches = !program.Contains('/');
        block->Candidates = arena.Texts(EnvironmentList.Candidates(program, environment));
        block->Arguments = arena.Texts(process.Arguments);
        block->Environment = arena.Texts(environment);
        FillLimits(block, arena, process);
        FillUser(block, arena, user);

        var launched = Clone(block, container);
        if (block->FailedStep == LaunchStep.None)
            return launched;
        int status;
        _ = Libc.close(launched.PidFd);
        _ = Libc.waitpid(launched.HostPid, &status, Linux.WALL);
        throw LaunchFailure.Of(block->FailedStep, block->Error, program, folder, block->Searches);
    }

    private static void Prepare(ContainerRoot root, string folder)
    {
        try
        {
            root.MakeFolder(folder);
        }
        catch (AgentFailure failure)
        {
            throw new AgentFailure(AgentError.BadWorkingDirectory, $"mkdir {folder}: {failure.Message}");
        }
        root.Seal();
    }

    private static void FillLimits(LaunchBlock* block, NativeArena arena, GuestProcess process)
    {
        if (process.OomScoreAdjustment != 0)
        {
            var score = process.OomScoreAdjustment.ToString();
            block->OomScore = arena.Text(score);
            block->OomScoreBytes = score.Length;
        }
        var count = process.Rlimits.Count;
        block->RlimitCount = count;
        block->RlimitResources = arena.Array<int>(count);
        block->Rlimits = arena.Array<RLimit>(count);
        for (var i = 0; i < count; i++)
        {
            var (resource, soft, hard) = process.Rlimits[i];
            block->RlimitResources[i] = resource;
            block->Rlimits[i] = new RLimit { Soft = soft, Hard = hard };
        }
        block->Capabilities = process.Capabilities;
        block->NoNewPrivileges = process.NoNewPrivileges;
    }

    private static void FillUser(LaunchBlock* block, NativeArena arena, ProcessUser user)
    {
        (block->Uid, block->Gid, block->GroupCount) = (user.Uid, user.Gid, user.Groups.Length);
        block->Groups = arena.Array<uint>(user.Groups.Length);
        user.Groups.CopyTo(new Span<uint>(block->Groups, user.Groups.Length));
    }

    private Launched Clone(LaunchBlock* block, Namespaces? container)
    {
        var flags = Linux.CLONE_VM | Linux.CLONE_VFORK | Linux.CLONE_PIDFD | Linux.SIGCHLD
            | (container is null ? Linux.CLONE_NEWPID | Linux.CLONE_NEWNS : 0);
        if (container is not null)
            Errno.Check(Libc.setns(container.Pid, Linux.CLONE_NEWPID), "join the pid namespace");
        int pidfd;
        var mask = LaunchChild.BlockSignals();
        var pid = Libc.clone(&LaunchChild.Run, _stackTop, flags, block, &pidfd);
        var error = Errno.Last;
        LaunchChild.RestoreSignals(mask);
        if (container is not null)
            Errno.Check(Libc.setns(_ownPids, Linux.CLONE_NEWPID), "leave the pid namespace");
        if (pid < 0)
        {
            // The namespace's first process is ending: the kernel lets nobody in any more.
            throw container is not null && error == Linux.ENOMEM
                ? new AgentFailure(AgentError.BadState, "the container is not running")
                : Errno.Failure("clone", error);
        }
        return new Launched(pid, block->Pid, pidfd);
    }
}
