using System.Net;
using System.Net.Http.Headers;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;

namespace Candela.Acceptance;

/// <summary>Every container has an identity of its own: over the socket in it, and as files where it asks for them.</summary>
[Collection(RestartCollection.Name)]
public sealed class WorkloadIdentityTests(RestartPlatform platform)
{
    private const string Socket = "/dev/candela/workload.sock";
    private const string Files = "candela.identity.files=/run/identity";
    // All from one folder: between two files they may be exchanged.
    private const string Show = "cd -P /run/identity/.current; cat svid.pem; echo %; cat svid_key.pem; echo %; cat bundle.pem; echo %; sleep 1000";

    [Fact]
    public async Task Processes_are_served_at_the_socket_and_each_container_and_fork_gets_its_own()
    {
        var image = await RelayAsync();
        var web = (await platform.DockerAsync("run", "-d", "--network=none", "--name", "id-web", image, "/bin/relay", "wait")).Text;
        var db = (await platform.DockerAsync("run", "-d", "--network=none", "--name", "id-db", image, "/bin/relay", "wait")).Text;
        var fork = (await platform.CandelaAsync("fork", "-q", "--name", "id-web-fork", "id-web")).Text;
        var ids = await Task.WhenAll(new[] { web, db, fork, web }.Select(AskAsync));
        Assert.All(ids.Zip(["id-web", "id-db", "id-web-fork", "id-web"]), pair => Assert.Matches($"^spiffe://[^/]+/default/default/{pair.Second}$", pair.First));

        // Where to ask is in the environment of every process, and nothing of it in the image or the container's record.
        Assert.Contains("SPIFFE_ENDPOINT_SOCKET=unix://" + Socket, (await platform.ShellAsync("env")).Lines);
        Assert.DoesNotContain("SPIFFE", (await platform.DockerAsync("inspect", web)).Text, StringComparison.Ordinal);
        await platform.DockerAsync("rename", "id-web", "id-renamed");
        await Deadlines.UntilAsync("the identity of the new name", async () => (await AskAsync(web)).EndsWith("/id-renamed", StringComparison.Ordinal));
        await platform.RestartDaemonAsync();
        Assert.EndsWith("/id-db", await AskAsync(db), StringComparison.Ordinal);
        await platform.RemoveAsync(web, db, fork);
    }

    [Fact]
    public async Task Files_are_there_before_the_first_process_and_are_each_containers_own()
    {
        var source = (await platform.DockerAsync("run", "-d", "--network=none", "--name", "files-web", "--label", Files, Platform.Image, "sh", "-c", Show)).Text;
        var (svid, bundle) = await ReadAsync(source, (await LogAsync(source)).Split("%\n"));
        Assert.Contains("/default/default/files-web", Uri(svid), StringComparison.Ordinal);
        Verify(svid, bundle);

        // Another process finds the same; nobody can change them; only the first process's user reads the key.
        Assert.Equal("400 0", (await platform.DockerAsync("exec", source, "stat", "-L", "-c", "%a %u", "/run/identity/svid_key.pem")).Text);
        Assert.NotEqual(0, (await platform.DockerAsync("exec", source, "sh", "-c", "echo x > /run/identity/.current/svid.pem")).ExitCode);

        var fork = (await platform.CandelaAsync("fork", "-q", "--name", "files-fork", "files-web")).Text;
        var (other, _) = await ReadAsync(fork, await CatAsync(fork));
        Assert.Contains("/default/default/files-fork", Uri(other), StringComparison.Ordinal);
        Assert.NotEqual(svid.SerialNumber, other.SerialNumber);
        Assert.Equal(svid.SerialNumber, (await ReadAsync(source, await CatAsync(source))).Svid.SerialNumber);

        // The private key is kept nowhere: the next daemon gives another.
        await platform.RestartDaemonAsync();
        await Deadlines.UntilAsync("new files", async () => (await ReadAsync(source, await CatAsync(source))).Svid.SerialNumber != svid.SerialNumber);
        await platform.RemoveAsync(source, fork);
    }

    [Fact]
    public async Task A_folder_that_cannot_be_is_refused()
    {
        var result = await platform.DockerAsync("run", "--rm", "--network=none", "--label", "candela.identity.files=identity", Platform.Image, "true");
        Assert.NotEqual(0, result.ExitCode);
        Assert.Contains("candela.identity.files", result.Error, StringComparison.Ordinal);
    }

    private async Task<string> LogAsync(string container)
    {
        var text = "";
        await Deadlines.UntilAsync("the files", async () => (text = (await platform.DockerAsync("logs", container)).Output).Split("%\n").Length > 3);
        return text;
    }

    private async Task<string[]> CatAsync(string container) =>
        (await platform.DockerAsync("exec", container, "sh", "-c", Show.Replace("; sleep 1000", "", StringComparison.Ordinal))).Output.Split("%\n");

    private static async Task<(X509Certificate2 Svid, X509Certificate2Collection Bundle)> ReadAsync(string container, string[] files)
    {
        await Task.CompletedTask;
        Assert.True(files.Length >= 3, $"{container}: {string.Concat(files)}");
        var chain = new X509Certificate2Collection();
        chain.ImportFromPem(files[0]);
        using var key = ECDsa.Create();
        key.ImportFromPem(files[1]);
        Assert.Equal(chain[0].PublicKey.ExportSubjectPublicKeyInfo(), key.ExportSubjectPublicKeyInfo());
        var bundle = new X509Certificate2Collection();
        bundle.ImportFromPem(files[2]);
        bundle.AddRange(chain.Skip(1).ToArray());
        return (chain[0], bundle);
    }

    private static string Uri(X509Certificate2 svid) => svid.Extensions["2.5.29.17"]!.Format(multiLine: false);

    private static void Verify(X509Certificate2 svid, X509Certificate2Collection bundle)
    {
        using var chain = new X509Chain();
        chain.ChainPolicy.TrustMode = X509ChainTrustMode.CustomRootTrust;
        chain.ChainPolicy.RevocationMode = X509RevocationMode.NoCheck;
        chain.ChainPolicy.CustomTrustStore.AddRange(bundle);
        chain.ChainPolicy.ExtraStore.AddRange(bundle);
        Assert.True(chain.Build(svid), string.Join("; ", chain.ChainStatus.Select(s => s.StatusInformation)));
    }

    /// <summary>The SPIFFE ID that a container's first X.509-SVID names, asked for over its socket: gRPC through docker exec.</summary>
    private async Task<string> AskAsync(string container)
    {
        using var relay = platform.StartDocker("exec", "-i", container, "/bin/relay", Socket);
        using var client = new HttpClient(new SocketsHttpHandler { ConnectCallback = (_, _) => ValueTask.FromResult<Stream>(new TwoWay(relay.Output, relay.Input)) });
        using var request = new HttpRequestMessage(HttpMethod.Post, "http://workload/SpiffeWorkloadAPI/FetchX509SVID")
        {
            Version = HttpVersion.Version20,
            VersionPolicy = HttpVersionPolicy.RequestVersionExact,
            Content = new ByteArrayContent(new byte[5]),
        };
        request.Content.Headers.ContentType = new MediaTypeHeaderValue("application/grpc");
        request.Headers.TE.Add(new TransferCodingWithQualityHeaderValue("trailers"));
        request.Headers.Add("workload.spiffe.io", "true");
        using var deadline = new CancellationTokenSource(Deadlines.Command);
        using var response = await client.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, deadline.Token);
        await using var body = await response.Content.ReadAsStreamAsync(deadline.Token);
        var head = new byte[256];
        await body.ReadAtLeastAsync(head, head.Length, throwOnEndOfStream: false, deadline.Token);
        // X509SVIDResponse: frame, svids (1): length, spiffe_id (1): length, text.
        var text = Encoding.ASCII.GetString(head);
        var at = text.IndexOf("spiffe://", StringComparison.Ordinal);
        Assert.True(at > 0, $"{response.StatusCode} {response.Headers} {response.TrailingHeaders} {text}");
        return text.Substring(at, head[at - 1]);
    }

    /// <summary>An image with nothing but a program that passes its standard streams on to a socket.</summary>
    private async Task<string> RelayAsync()
    {
        using var folder = new TemporaryFolder();
        await File.WriteAllTextAsync(folder.File("relay.c"), """
            #include <poll.h>
            #include <string.h>
            #include <sys/socket.h>
            #include <sys/un.h>
            #include <unistd.h>
            int main(int count, char **arguments) {
              struct sockaddr_un address = { .sun_family = AF_UNIX };
              char buffer[65536];
              if (count < 2 || strcmp(arguments[1], "wait") == 0)
                for (;;) pause();
              strncpy(address.sun_path, arguments[1], sizeof address.sun_path - 1);
              int fd = socket(AF_UNIX, SOCK_STREAM, 0);
              if (connect(fd, (struct sockaddr *)&address, sizeof address) < 0) return 1;
              struct pollfd fds[2] = { { 0, POLLIN, 0 }, { fd, POLLIN, 0 } };
              while (poll(fds, 2, -1) > 0)
                for (int i = 0; i < 2; i++)
                  if (fds[i].revents) {
                    ssize_t got = read(fds[i].fd, buffer, sizeof buffer);
                    if (got <= 0) return 0;
                    for (ssize_t at = 0, put; at < got; at += put)
                      if ((put = write(i ? 1 : fd, buffer + at, got - at)) <= 0) return 0;
                  }
              return 0;
            }
            """);
        Directory.CreateDirectory(folder.File("root/bin"));
        using var gcc = new RunningCommand("gcc", ["-static", "-O1", "-o", folder.File("root/bin/relay"), folder.File("relay.c")], new Dictionary<string, string>());
        _ = (await gcc.FinishAsync()).Text;
        using var tar = new RunningCommand("tar", ["-C", folder.File("root"), "-cf", folder.File("root.tar"), "."], new Dictionary<string, string>());
        _ = (await tar.FinishAsync()).Text;
        _ = (await platform.DockerAsync("import", folder.File("root.tar"), "relay:1")).Text;
        return "relay:1";
    }

    /// <summary>Two streams as one.</summary>
    private sealed class TwoWay(Stream input, Stream output) : Stream
    {
        public override bool CanRead => true;

        public override bool CanSeek => false;

        public override bool CanWrite => true;

        public override long Length => throw new NotSupportedException();

        public override long Position { get => throw new NotSupportedException(); set => throw new NotSupportedException(); }

        public override void Flush() => output.Flush();

        public override Task FlushAsync(CancellationToken cancellationToken) => output.FlushAsync(cancellationToken);

        public override int Read(byte[] buffer, int offset, int count) => input.Read(buffer, offset, count);

        public override ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default) => input.ReadAsync(buffer, cancellationToken);

        public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

        public override void SetLength(long value) => throw new NotSupportedException();

        public override void Write(byte[] buffer, int offset, int count) => output.Write(buffer, offset, count);

        public override async ValueTask WriteAsync(ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken = default)
        {
            await output.WriteAsync(buffer, cancellationToken);
            await output.FlushAsync(cancellationToken);
        }
    }
}
