using System.Diagnostics;
using System.Text;

namespace Candela.Acceptance;

/// <summary>Who may do what, by every way in, on a real daemon; and that no change is lost or half made when it is killed.</summary>
public sealed class AccessTests(AccessPlatform platform) : IClassFixture<AccessPlatform>
{
    /// <summary>Bar: a right that is taken away is gone everywhere within this time.</summary>
    private static readonly TimeSpan RevocationTime = TimeSpan.FromSeconds(5);

    [Fact]
    public async Task A_client_certificate_is_its_owner_until_it_or_the_right_is_gone()
    {
        using var folder = new TemporaryFolder();
        _ = (await platform.CandelaAsync("user", "create", "ada")).Text;
        var ada = await CertificateAsync(folder, "ada");
        Assert.Equal(401, (await platform.CurlAsync("/whoami")).Status);
        Assert.Equal(401, (await platform.CurlAsync("/containers", "-H", "Authorization: Bearer nonsense")).Status);
        var (status, body) = await platform.CurlAsync("/whoami", ada);
        Assert.Equal((200, true), (status, body.Contains("ada@system", StringComparison.Ordinal)));

        Assert.Equal(403, (await platform.CurlAsync("/containers", ada)).Status);
        var binding = (await platform.CandelaAsync("bind", "add", "viewer", "user:ada", "/tenants/default/projects/default")).Text;
        Assert.Equal(200, (await platform.CurlAsync("/containers", ada)).Status);
        Assert.Equal(403, (await platform.CurlAsync("/containers", [.. ada, "-H", "Content-Type: application/json", "-d", """{"spec":{"image":"candela/base"}}"""])).Status);
        Assert.Equal(403, (await platform.CurlAsync("/users", ada)).Status);

        _ = (await platform.CandelaAsync("bind", "rm", binding)).Text;
        await GoneAsync(403, "/containers", ada);
        _ = (await platform.CandelaAsync("bind", "add", "viewer", "user:ada", "/tenants/default/projects/default")).Text;
        Assert.Equal(200, (await platform.CurlAsync("/containers", ada)).Status);
        _ = (await platform.CandelaAsync("user", "disable", "ada")).Text;
        await GoneAsync(401, "/containers", ada);
        _ = (await platform.CandelaAsync("user", "enable", "ada")).Text;
        Assert.Equal(200, (await platform.CurlAsync("/containers", ada)).Status);
        var serial = (await platform.CandelaAsync("cert", "ls", "--owner", "user:ada@system")).Lines[^1].Split(' ')[0];
        _ = (await platform.CandelaAsync("cert", "revoke", serial)).Text;
        await GoneAsync(401, "/containers", ada);

        var audit = await File.ReadAllTextAsync(platform.StateFolder + "/audit.log");
        Assert.Contains("\"user\":\"ada@system\"", audit, StringComparison.Ordinal);
        Assert.Contains("127.0.0.1", audit, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_proxy_asks_who_may_talk_to_it_and_a_stolen_identity_is_worth_nothing_after_its_container()
    {
        using var folder = new TemporaryFolder();
        foreach (var name in new[] { "caller", "callee" })
        {
            _ = (await platform.DockerAsync(
                "run", "-d", "--network=none", "--name", name, "--label", "candela.identity.files=/run/identity", Platform.Image, "sleep", "100000")).Text;
            foreach (var file in new[] { "svid.pem", "svid_key.pem" })
                await File.WriteAllTextAsync(folder.File($"{name}-{file}"), (await platform.DockerAsync("exec", name, "cat", "/run/identity/" + file)).Output);
        }

        string[] callee = ["--cert", folder.File("callee-svid.pem"), "--key", folder.File("callee-svid_key.pem")];
        string[] caller = ["--cert", folder.File("caller-svid.pem"), "--key", folder.File("caller-svid_key.pem")];
        var pem = await File.ReadAllTextAsync(folder.File("caller-svid.pem"));
        string[] asked = [.. callee, "-H", "Candela-Source-Certificate: " + Uri.EscapeDataString(pem[..(pem.IndexOf("-----END CERTIFICATE-----", StringComparison.Ordinal) + 25)])];
        Assert.Contains("workload:default/default/callee", (await platform.CurlAsync("/whoami", callee)).Body, StringComparison.Ordinal);

        // Nobody talks to anybody by default; a right lets one in; only one's own matters are one's to ask about.
        var (status, body) = await platform.CurlAsync("/peer-decision", asked);
        Assert.Equal((403, true), (status, body.Contains("container:connect", StringComparison.Ordinal)));
        _ = (await platform.CandelaAsync("role", "create", "caller", "-p", "container:connect")).Text;
        var binding = (await platform.CandelaAsync("bind", "add", "caller", "workload:default/default/caller", "/tenants/default/projects/default")).Text;
        Assert.Equal(200, (await platform.CurlAsync("/peer-decision", asked)).Status);
        Assert.Equal(401, (await platform.CurlAsync("/peer-decision", callee)).Status);
        var id = System.Text.Json.JsonDocument.Parse((await platform.CurlAsync("/peer-decision", asked)).Body).RootElement.GetProperty("target").GetString()!;
        Assert.Equal(200, (await platform.CurlAsync("/peer-decision", [.. callee, "-H", "Candela-Source: " + id.Replace("/callee", "/caller", StringComparison.Ordinal)])).Status);
        Assert.Equal(403, (await platform.CurlAsync("/peer-decision?target=" + id, [.. caller, "-H", "Candela-Source: " + id])).Status);
        _ = (await platform.CandelaAsync("bind", "rm", binding)).Text;
        await GoneAsync(403, "/peer-decision", asked);

        // Stolen before the container's end, shown after it.
        Assert.Equal(200, (await platform.CurlAsync("/whoami", caller)).Status);
        _ = (await platform.DockerAsync("rm", "-f", "caller")).Text;
        Assert.Equal(401, (await platform.CurlAsync("/whoami", caller)).Status);
        Assert.Equal(401, (await platform.CurlAsync("/peer-decision", asked)).Status);

        // Another container of that name is somebody else.
        _ = (await platform.DockerAsync("run", "-d", "--network=none", "--name", "caller", "--label", "candela.identity.files=/run/identity", Platform.Image, "sleep", "100000")).Text;
        Assert.Equal(401, (await platform.CurlAsync("/whoami", caller)).Status);
        await platform.RemoveAsync("caller", "callee");
    }

    [Fact]
    public async Task Kills_in_the_midst_of_changes_lose_nothing_and_leave_nothing_half_made()
    {
        const int Changes = 1000;
        const int Kills = 3;
        var acknowledged = new List<string>();
        var next = 0;
        for (var round = 0; round < Kills; round++)
        {
            using var client = Platform.Http(platform.ApiSocket);
            var wanted = Changes * (round + 1) / Kills;
            var killing = Task.CompletedTask;
            try
            {
                while (true)
                {
                    var name = $"k{next++}";
                    using var made = await client.PostAsync("v1/users", Json($$"""{"name":"{{name}}","displayName":"made"}"""));
                    Assert.True(made.IsSuccessStatusCode, await made.Content.ReadAsStringAsync());
                    lock (acknowledged)
                        acknowledged.Add(name);
                    if (acknowledged.Count == wanted)
                        killing = platform.KillDaemonAsync();
                }
            }
            catch (Exception e) when (e is HttpRequestException or IOException)
            {
                // The daemon is gone.
            }

            await killing;
            await platform.StartDaemonAsync();
        }

        Assert.InRange(acknowledged.Count, Changes, int.MaxValue);
        using var reader = Platform.Http(platform.ApiSocket);
        foreach (var name in acknowledged)
        {
            using var found = await reader.GetAsync("v1/users/" + name);
            Assert.True(found.IsSuccessStatusCode, $"{name} was acknowledged and is lost");
        }

        // What was under way when a kill came is there whole, and can be worked with, or not at all.
        foreach (var name in Enumerable.Range(0, next).Select(i => $"k{i}").Except(acknowledged))
        {
            using var found = await reader.GetAsync("v1/users/" + name);
            using var deleted = await reader.DeleteAsync("v1/users/" + name);
            Assert.Equal(found.IsSuccessStatusCode, deleted.IsSuccessStatusCode);
            using var again = await reader.PostAsync("v1/users", Json($$"""{"name":"{{name}}"}"""));
            Assert.True(again.IsSuccessStatusCode, await again.Content.ReadAsStringAsync());
        }
    }

    private static StringContent Json(string text) => new(text, Encoding.UTF8, "application/json");

    private async Task GoneAsync(int status, string path, string[] options)
    {
        var begun = Stopwatch.StartNew();
        while ((await platform.CurlAsync(path, options)).Status != status)
            Assert.True(begun.Elapsed < RevocationTime, $"{path} still works {begun.Elapsed.TotalSeconds:0.0} s after the right to it was taken away");
    }

    private async Task<string[]> CertificateAsync(TemporaryFolder folder, string user)
    {
        var (key, request, certificate) = (folder.File(user + ".key"), folder.File(user + ".csr"), folder.File(user + ".pem"));
        using var openssl = new RunningCommand(
            "openssl", ["req", "-new", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout", key, "-subj", "/CN=" + user, "-out", request], new Dictionary<string, string>());
        _ = (await openssl.FinishAsync()).Text;
        using var candela = platform.StartCandela("cert", "request", $"user:{user}@system");
        await candela.Input.WriteAsync(await File.ReadAllBytesAsync(request));
        await File.WriteAllTextAsync(certificate, (await candela.FinishAsync()).Text);
        return ["--cert", certificate, "--key", key];
    }
}
