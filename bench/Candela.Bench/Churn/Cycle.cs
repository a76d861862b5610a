using System.Diagnostics;
using Candela.Cli.Api;
using Candela.Cli.Http;
using Candela.Model;

namespace Candela.Bench.Churn;

/// <summary>One life of a container, through the docker client. What goes wrong must have been caused on purpose.</summary>
internal sealed class Cycle(Subject subject, int number, Random random)
{
    private static readonly TimeSpan SettleTimeout = TimeSpan.FromSeconds(90);

    private readonly long begun = Stopwatch.GetTimestamp();
    private readonly List<string> names = [$"churn-{number}"];
    private readonly HashSet<string> living = [];
    private bool clientKilled;

    /// <summary>The kinds of cycles, by name.</summary>
    public static IReadOnlyDictionary<string, Action<Cycle>> Kinds { get; } = new Dictionary<string, Action<Cycle>>
    {
        ["run --rm"] = cycle => cycle.RunAndRemove(),
        ["run -d, rm -f"] = cycle => cycle.RunDetached(),
        ["create, start, stop, rm"] = cycle => cycle.StartAndStop(),
        ["exec"] = cycle => cycle.Exec(),
        ["fork"] = cycle => cycle.Fork(),
        ["restart policy"] = cycle => cycle.RestartByPolicy(),
    };

    private string Name => names[0];

    /// <summary>Runs it and leaves nothing behind.</summary>
    /// <returns>Whether a disturbance interrupted it.</returns>
    /// <exception cref="WrongException">The platform did wrong.</exception>
    public bool Run(Action<Cycle> kind)
    {
        bool interrupted = false;
        try
        {
            kind(this);
        }
        catch (InterruptedException)
        {
            interrupted = true;
            subject.AwaitReady();
            CheckLiving();
        }
        finally
        {
            foreach (string name in names)
                EnsureRemoved(name);
        }
        return interrupted;
    }

    private void RunAndRemove()
    {
        int code = random.Next(3) == 0 ? 7 : 0;
        var result = Docker("run", "--rm", "--network", "none", "--name", Name, Engine.Image, "sh", "-c", $"echo out-{number}; echo err-{number} >&2; exit {code}");
        Check(result.ExitCode == code && result.Output == $"out-{number}\n" && result.Error == $"err-{number}\n", "run --rm", result);
        AwaitState(Name, "gone", container => container is null);
    }

    private void RunDetached()
    {
        StartDetached("echo up; exec sleep 1000000");
        var logs = Docker("logs", Name);
        Check(logs.Succeeded && logs.Output is "up\n" or "", "logs", logs);
        Remove(Name, "-f");
    }

    private void StartAndStop()
    {
        var created = Docker("create", "--network", "none", "--name", Name, Engine.Image, "sh", "-c", "trap 'exit 3' TERM; echo begun >>/count; cat /count; while :; do sleep 0.1; done");
        Check(created.Succeeded, "create", created);
        for (int runs = 1; runs <= 2; runs++)
        {
            Succeeds("start", Name);
            Alive(Name);
            // The trap may not be set yet: then the signal is ignored, and SIGKILL follows.
            living.Remove(Name);
            Succeeds("stop", "-t", "2", Name);
            var state = Docker("inspect", "-f", "{{.State.Status}} {{.State.ExitCode}}", Name);
            Check(state.Output is "exited 3\n" or "exited 137\n", "inspect after stop", state);
        }
        Remove(Name);
    }

    private void Exec()
    {
        StartDetached("exec sleep 1000000");
        for (int i = 0; i < 2; i++)
        {
            var result = Docker("exec", Name, "sh", "-c", $"echo exec-{number}-{i}; exit {i}");
            Check(result.ExitCode == i && result.Output == $"exec-{number}-{i}\n", "exec", result);
        }
        Remove(Name, "-f");
    }

    private void Fork()
    {
        string fork = Name + "-fork";
        StartDetached("echo mine >/file; exec sleep 1000000");
        var written = Docker("exec", Name, "sh", "-c", "until [ -s /file ]; do sleep 0.05; done");
        Check(written.Succeeded, "exec before the fork", written);
        names.Add(fork);
        try
        {
            using var client = subject.Engine.Connect();
            client.Post(Routes.Container(Name, "fork"), new ForkRequest(1, [fork]), Wire.Default.ForkRequest, Wire.Default.ForkAnswer);
        }
        catch (Exception exception) when (exception is ApiException or DaemonUnreachableException or IOException)
        {
            Fail("fork: " + exception.Message);
        }
        Alive(fork);
        string file = random.Next(2) == 0 ? Name : fork;
        // Whichever is removed first, the other one goes on.
        var result = Docker("exec", fork, "cat", "/file");
        Check(result.Succeeded && result.Output == "mine\n", "exec in the fork", result);
        Remove(file, "-f");
        result = Docker("exec", file == fork ? Name : fork, "echo", "on");
        Check(result.Output == "on\n", "exec in the one that is left", result);
    }

    private void RestartByPolicy()
    {
        Succeeds("run", "-d", "--restart", "always", "--network", "none", "--name", Name, Engine.Image, "sh", "-c", "echo run; sleep 0.3; exit 1");
        AwaitState(Name, "restarted", container => container is not null && container.Status.RestartCount > 0);
        living.Remove(Name);
        Remove(Name, "-f");
    }

    private void StartDetached(string script)
    {
        Succeeds("run", "-d", "--network", "none", "--name", Name, Engine.Image, "sh", "-c", script);
        Alive(Name);
    }

    private void Remove(string name, params string[] options)
    {
        living.Remove(name);
        Succeeds(["rm", .. options, name]);
    }

    /// <summary>From now on it lives, unless its VMM is killed.</summary>
    private void Alive(string name) => living.Add(name);

    private void Succeeds(params string[] arguments)
    {
        var result = Docker(arguments);
        Check(result.Succeeded, arguments[0], result);
    }

    private CommandResult Docker(params string[] arguments)
    {
        var result = subject.Docker.Run(mayBeKilled: true, arguments);
        clientKilled |= result.Killed;
        if (result.Hung)
            throw new WrongException($"docker {string.Join(' ', arguments)} hung");
        return result;
    }

    private void Check(bool holds, string what, CommandResult result)
    {
        if (result.Killed)
            throw new InterruptedException();
        if (!holds)
            Fail($"{what}: {result}");
    }

    private void Fail(string what)
    {
        if (IsDisturbed())
            throw new InterruptedException();
        throw new WrongException(what);
    }

    private bool IsDisturbed() => clientKilled || subject.WasAwaySince(begun) || names.Exists(name => subject.LostVmmSince(begun, name));

    /// <summary>What ran when the disturbance came, and whose VMM was not killed, runs on.</summary>
    private void CheckLiving()
    {
        var containers = Undisturbed(subject.Containers);
        foreach (string name in living.Where(name => !subject.LostVmmSince(begun, name)))
        {
            var container = containers.FirstOrDefault(container => container.Name == name);
            if (container?.Status.State != ContainerState.Running)
                throw new WrongException($"{name} is lost: it should run, and is {container?.Status.State.ToString() ?? "gone"} {container?.Status.Error}");
        }
    }

    private void AwaitState(string name, string what, Func<Container?, bool> holds)
    {
        long since = Stopwatch.GetTimestamp();
        using var timer = new ManualResetEventSlim();
        while (true)
        {
            var container = Undisturbed(subject.Containers).FirstOrDefault(container => container.Name == name);
            if (holds(container))
                return;
            if (Stopwatch.GetElapsedTime(since) > SettleTimeout)
                throw new WrongException($"{name} is not {what} after {SettleTimeout.TotalSeconds} s: {container?.Status.ToString() ?? "gone"}");
            timer.Wait(100);
        }
    }

    private void EnsureRemoved(string name)
    {
        // An auto-removed container goes by itself, unless the interruption came before its start.
        AwaitState(name, "settled", container => container is null || !container.Spec.AutoRemove || container.Status.State == ContainerState.Created);
        Undisturbed(() =>
        {
            var result = subject.Docker.Run(mayBeKilled: false, "rm", "-f", name);
            // An earlier client's removal goes on without it.
            return result.Succeeded || result.NotFound || result.Error.Contains("already in progress", StringComparison.Ordinal) ? result : throw new WrongException($"rm -f {name}: {result}");
        });
        AwaitState(name, "removed", container => container is null);
    }

    /// <summary>Asks again when the daemon was killed meanwhile.</summary>
    private T Undisturbed<T>(Func<T> ask)
    {
        while (true)
        {
            subject.AwaitReady();
            long since = Stopwatch.GetTimestamp();
            try
            {
                return ask();
            }
            catch (Exception exception) when (exception is ApiException or DaemonUnreachableException or IOException or WrongException)
            {
                if (!subject.WasAwaySince(since))
                    throw exception as WrongException ?? new WrongException(exception.Message);
            }
        }
    }
}

/// <summary>The platform did wrong.</summary>
internal sealed class WrongException(string message) : Exception(message);

/// <summary>A disturbance has ended a cycle early, as it may.</summary>
internal sealed class InterruptedException : Exception;
