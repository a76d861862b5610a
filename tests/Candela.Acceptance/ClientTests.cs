namespace Candela.Acceptance;

/// <summary>Clients of other makes than the docker CLI.</summary>
[Collection(NetworkCollection.Name)]
public sealed class ClientTests(NetworkPlatform platform) : IDisposable
{
    private const string Application =
        """
        version: "3"
        services:
          web:
            image: candela/base
            command: sh -c "mkdir -p /www && echo served > /www/index.html && exec httpd -f -p 80 -h /www"
            restart: always
            volumes: ["data:/data"]
          worker:
            image: candela/base
            depends_on: [web]
            command: sh -c "until wget -q -O - http://web/; do sleep 1; done; exec sleep 1000"
        volumes: {data: {}}
        """;

    /// <summary>The Docker SDK for Python: every kind of stream and the objects around containers.</summary>
    private const string Sdk =
        """
        import docker, io, tarfile, time
        begun = int(time.time()) - 1
        c = docker.from_env()
        assert c.ping() and c.info()['OSType'] == 'linux'
        assert c.containers.run('candela/base', ['echo', 'hello'], remove=True, network_mode='none') == b'hello\n'
        try:
            c.containers.run('candela/base', ['sh', '-c', 'echo bad >&2; exit 3'], remove=True, network_mode='none')
            raise SystemExit('no error')
        except docker.errors.ContainerError as e:
            assert e.exit_status == 3 and e.stderr == b'bad\n', e
        v = c.volumes.create('sdk-data')
        b = c.containers.run('candela/base', ['sleep', '1000'], name='sdk', detach=True, network_mode='none', volumes={'sdk-data': {'bind': '/data', 'mode': 'rw'}}, labels={'of': 'sdk'})
        assert [x.name for x in c.containers.list(filters={'label': 'of=sdk'})] == ['sdk']
        code, out = b.exec_run(['sh', '-c', 'echo out; echo err >&2; exit 4'], demux=True)
        assert (code, out) == (4, (b'out\n', b'err\n')), (code, out)
        t = io.BytesIO()
        with tarfile.open(fileobj=t, mode='w') as f:
            i = tarfile.TarInfo('put'); i.size = 3
            f.addfile(i, io.BytesIO(b'abc'))
        assert b.put_archive('/data', t.getvalue())
        bits, stat = b.get_archive('/data/put')
        assert stat['size'] == 3
        assert tarfile.open(fileobj=io.BytesIO(b''.join(bits))).extractfile('put').read() == b'abc'
        assert b.stats(stream=False)['memory_stats']['usage'] > 0
        assert any('sleep' in ' '.join(p) for p in b.top()['Processes'])
        b.update(mem_limit='64m', memswap_limit='64m', restart_policy={'Name': 'always'})
        b.reload()
        assert b.attrs['HostConfig']['Memory'] == 64 << 20 and b.attrs['HostConfig']['RestartPolicy']['Name'] == 'always'
        b.pause(); b.reload(); assert b.status == 'paused'
        b.unpause(); b.rename('sdk-renamed'); b.stop(timeout=0)
        assert b.wait()['StatusCode'] == 137
        b.remove(); v.remove()
        try:
            c.containers.get('sdk-renamed'); raise SystemExit('still there')
        except docker.errors.NotFound:
            pass
        e = list(c.events(since=begun, until=int(time.time()) + 1, filters={'container': b.id}, decode=True))
        assert {'create', 'start', 'pause', 'unpause', 'update', 'die', 'destroy'} <= {x['Action'] for x in e}, e
        n = c.networks.create('sdk-net', labels={'a': 'b'})
        assert c.networks.list(names=['sdk-net'])[0].attrs['Labels'] == {'a': 'b'}
        n.remove()
        print('fine')
        """;

    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task Compose_brings_an_application_up_scales_it_and_takes_it_down()
    {
        await File.WriteAllTextAsync(_folder.File("docker-compose.yml"), Application, TestContext.Current.CancellationToken);
        _ = (await ComposeAsync("up", "-d")).Text;
        await Deadlines.UntilAsync("the worker to reach the web server", async () => (await ComposeAsync("logs", "--no-color", "worker")).Text.Contains("served", StringComparison.Ordinal));
        Assert.Equal("served", (await ComposeAsync("exec", "-T", "worker", "wget", "-q", "-O", "-", "http://web/")).Text);
        _ = (await ComposeAsync("up", "-d", "--scale", "worker=2")).Text;
        Assert.Equal(3, (await ComposeAsync("ps", "-q")).Lines.Length);
        _ = (await ComposeAsync("down", "-v", "-t", "0")).Text;
        Assert.Empty((await platform.DockerAsync("ps", "-aq", "--filter", "label=com.docker.compose.project=app")).Lines);
        Assert.Empty((await platform.DockerAsync("volume", "ls", "-q", "--filter", "name=app_")).Lines);
        Assert.Empty((await platform.DockerAsync("network", "ls", "-q", "--filter", "name=app_")).Lines);
    }

    [Fact]
    public async Task Python_sdk_finds_what_it_expects()
    {
        using var python = Client("python3", "-c", Sdk);
        Assert.Equal("fine", (await python.FinishAsync()).Text);
    }

    [Fact]
    public async Task A_hundred_runs_from_eight_clients_all_succeed_and_leave_nothing()
    {
        var before = (await platform.DockerAsync("ps", "-aq")).Lines.Length;
        var failures = new System.Collections.Concurrent.ConcurrentBag<string>();
        await Parallel.ForEachAsync(Enumerable.Range(0, 100), new ParallelOptions { MaxDegreeOfParallelism = 8 }, async (number, _) =>
        {
            var result = await platform.DockerAsync("run", "--rm", "--network", "none", Platform.Image, "echo", $"run {number}");
            if (result.ExitCode != 0 || result.Output.Trim() != $"run {number}")
                failures.Add($"{number}: {result.ExitCode} {result.Output} {result.Error}");
        });
        Assert.Empty(failures);
        await Deadlines.UntilAsync("the last removal", async () => (await platform.DockerAsync("ps", "-aq")).Lines.Length == before);
    }

    private async Task<CommandResult> ComposeAsync(params string[] arguments)
    {
        using var compose = Client("docker-compose", ["-p", "app", "-f", _folder.File("docker-compose.yml"), .. arguments]);
        return await compose.FinishAsync();
    }

    private RunningCommand Client(string program, params string[] arguments) =>
        new(program, arguments, new Dictionary<string, string> { ["DOCKER_HOST"] = "unix://" + platform.DockerSocket, ["COMPOSE_PARALLEL_LIMIT"] = "4" });
}
