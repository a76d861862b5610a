using System.Diagnostics;

namespace Candela.Tests.Shared;

/// <summary>Members of an etcd cluster on loopback ports, each a process of its own with its data in a folder that goes with them.</summary>
public sealed class EtcdServers : IAsyncDisposable
{
    private readonly TemporaryFolder _folder = new();
    private readonly List<Member> _members = [];
    private readonly string _scheme;
    private readonly string[] _options;

    private EtcdServers(string scheme, string[] options) => (_scheme, _options) = (scheme, options);

    /// <summary>The members' client addresses, HOST:PORT.</summary>
    public string Hosts => string.Join(',', _members.Select(m => $"127.0.0.1:{m.Port}"));

    /// <summary>Starts a cluster of so many members.</summary>
    /// <param name="count">Members.</param>
    /// <param name="scheme">Of the client addresses.</param>
    /// <param name="options">More options for each; null: those that a store needs.</param>
    public static EtcdServers Start(int count, string scheme = "http", params string[]? options)
    {
        var servers = new EtcdServers(scheme, options is { Length: > 0 } ? options : ["--max-txn-ops", "4096"]);
        for (var i = 0; i < count; i++)
            servers._members.Add(new Member($"m{i}", FreePort.Next(), FreePort.Next()));
        for (var i = 0; i < count; i++)
            servers.StartMember(i);
        return servers;
    }

    /// <summary>SIGKILL.</summary>
    public async Task KillAsync(int number)
    {
        _members[number].Process!.Kill();
        await _members[number].Process!.WaitForExitAsync();
        _members[number].Process!.Dispose();
        _members[number].Process = null;
    }

    /// <summary>Starts a member (again), with the data that it had.</summary>
    public void StartMember(int number)
    {
        var member = _members[number];
        var start = new ProcessStartInfo("etcd") { RedirectStandardError = true, RedirectStandardOutput = true };
        foreach (var argument in (string[])
        [
            "--name", member.Name, "--data-dir", _folder.File(member.Name), "--logger", "zap", "--log-level", "error",
            "--heartbeat-interval", "100", "--election-timeout", "1000",
            "--listen-client-urls", $"{_scheme}://127.0.0.1:{member.Port}", "--advertise-client-urls", $"{_scheme}://127.0.0.1:{member.Port}",
            "--listen-peer-urls", $"http://127.0.0.1:{member.PeerPort}", "--initial-advertise-peer-urls", $"http://127.0.0.1:{member.PeerPort}",
            "--initial-cluster", string.Join(',', _members.Select(m => $"{m.Name}=http://127.0.0.1:{m.PeerPort}")),
            .. _options,
        ])
            start.ArgumentList.Add(argument);
        member.Process = Process.Start(start)!;
        member.Process.OutputDataReceived += (_, _) => { };
        member.Process.ErrorDataReceived += (_, _) => { };
        member.Process.BeginOutputReadLine();
        member.Process.BeginErrorReadLine();
    }

    public async ValueTask DisposeAsync()
    {
        for (var i = 0; i < _members.Count; i++)
        {
            if (_members[i].Process is not null)
                await KillAsync(i);
        }

        _folder.Dispose();
    }

    private sealed class Member(string name, int port, int peerPort)
    {
        public string Name => name;

        public int Port => port;

        public int PeerPort => peerPort;

        public Process? Process { get; set; }
    }
}
