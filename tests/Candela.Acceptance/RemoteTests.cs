using System.Diagnostics;
using System.Text.Json.Nodes;

namespace Candela.Acceptance;

/// <summary>The command line and the stock docker CLI at a daemon elsewhere: who one is there, what works, and that it ends when the right to it does.</summary>
public sealed class RemoteTests(AccessPlatform platform) : IClassFixture<AccessPlatform>
{
    private const string Password = "a long enough password";
    private const string Project = "/tenants/default/projects/default";

    /// <summary>Bar: a right that is taken away is gone everywhere within this time.</summary>
    private static readonly TimeSpan RevocationTime = TimeSpan.FromSeconds(5);

    [Fact]
    public async Task A_person_signs_in_by_a_code_works_and_signs_out()
    {
        using var home = new TemporaryFolder();
        await platform.AddUserAsync("grace", Password);
        _ = (await platform.CandelaAsync("bind", "add", "developer", "user:grace", Project)).Text;

        // Without the root nobody is believed to be the daemon; without a sign-in nobody gets anywhere.
        var stranger = await Candela(home, "login", platform.PublicUrl, "--device").FinishAsync();
        Assert.True(stranger.ExitCode == 1 && stranger.Error.Contains("--ca-file", StringComparison.Ordinal), $"{stranger}");
        Assert.Contains("candela login", (await Candela(home, [("CANDELA_CA_FILE", platform.RunFolder + "/roots.pem")], "-H", platform.PublicUrl, "ps").FinishAsync()).Error, StringComparison.Ordinal);

        await SignInAsync(home, "grace");
        var context = home.File("candela/contexts/there.json");
        Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(context));
        Assert.Equal("grace@system", (await Candela(home, "whoami").FinishAsync()).Text);
        Assert.Equal("hi", (await Candela(home, "run", "--rm", Platform.Image, "echo", "hi").FinishAsync()).Text);
        using (var cat = Candela(home, "run", "--rm", "-i", Platform.Image, "sh", "-c", "cat; echo over >&2; exit 7"))
        {
            await cat.Input.WriteAsync(new byte[200_000].Select((_, i) => (byte)('a' + (i % 26))).ToArray());
            var end = await cat.FinishAsync();
            Assert.Equal((7, 200_000, "over\n"), (end.ExitCode, end.Output.Length, end.Error));
        }

        using var events = Candela(home, "events");
        _ = (await Candela(home, "run", "-d", "--name", "far", Platform.Image, "sh", "-c", "i=0; while :; do i=$((i+1)); echo line $i; sleep 0.1; done").FinishAsync()).Text;
        await events.ReadUntilAsync("far");
        using var logs = Candela(home, "logs", "-f", "far");
        await logs.ReadUntilAsync("line 5");
        Assert.Equal("12", (await Candela(home, "exec", "far", "sh", "-c", "expr 5 + 7").FinishAsync()).Text);
        using (var shell = Terminal(home, "exec", "-it", "far", "sh"))
        {
            await shell.TypeAsync("stty size; exit 3\n");
            await shell.ExpectAsync("33 99");
            Assert.Equal(3, await shell.ExitCodeAsync());
        }

        Assert.Equal(1, (await Candela(home, "user", "ls").FinishAsync()).ExitCode);

        // The token is renewed once, by whichever of many processes is first.
        var saved = JsonNode.Parse(await File.ReadAllTextAsync(context))!;
        var refresh = (string)saved["refreshToken"]!;
        saved["expiresAt"] = DateTimeOffset.UtcNow.AddSeconds(5);
        await File.WriteAllTextAsync(context, saved.ToJsonString());
        var all = await Task.WhenAll(Enumerable.Range(0, 6).Select(_ => Candela(home, "ps", "-q").FinishAsync()));
        Assert.All(all, one => Assert.Single(one.Lines));
        Assert.NotEqual(refresh, (string)JsonNode.Parse(await File.ReadAllTextAsync(context))!["refreshToken"]!);

        // A stream that is open ends with the right to it.
        _ = (await platform.CandelaAsync("user", "disable", "grace")).Text;
        var begun = Stopwatch.StartNew();
        await logs.FinishAsync();
        Assert.InRange(begun.Elapsed, TimeSpan.Zero, RevocationTime);
        Assert.NotEqual(0, (await Candela(home, "ps").FinishAsync()).ExitCode);
        _ = (await platform.CandelaAsync("user", "enable", "grace")).Text;

        var access = (string)JsonNode.Parse(await File.ReadAllTextAsync(context))!["accessToken"]!;
        _ = await Candela(home, "logout").FinishAsync();
        Assert.Equal(401, (await platform.CurlAsync("/whoami", "-H", "Authorization: Bearer " + access)).Status);
        Assert.Contains($"sign in: candela login {platform.PublicUrl}", (await Candela(home, "ps").FinishAsync()).Error, StringComparison.Ordinal);
        Assert.Equal("there", (await Candela(home, "context", "rm", "there").FinishAsync()).Text);
        Assert.DoesNotContain(platform.PublicUrl, (await Candela(home, "context", "ls").FinishAsync()).Text, StringComparison.Ordinal);
        await platform.RemoveAsync("far");
    }

    [Fact]
    public async Task A_browser_on_the_same_host_signs_in_and_a_forged_answer_does_not()
    {
        using var home = new TemporaryFolder();
        await platform.AddUserAsync("alan", Password);
        using var login = Login(home, "--browser");
        var address = (await login.ReadUntilAsync("https://")).Trim();
        var back = System.Web.HttpUtility.ParseQueryString(new Uri(address).Query)["redirect_uri"]!;
        using var plain = new HttpClient();
        Assert.Equal(404, (int)(await plain.GetAsync(new Uri(new Uri(back), "/other"))).StatusCode);
        using var browser = platform.Browser();
        var page = await browser.GetAsync(address[platform.PublicUrl.Length..]);
        page = await browser.FollowAsync(await browser.SubmitAsync(await browser.FollowAsync(page), ("name", "alan"), ("password", Password)));
        if (page.Next is null)
            page = await browser.SubmitAsync(page, ("decision", "allow"));
        Assert.True(page.Next?.StartsWith(back, StringComparison.Ordinal), page.Text);
        Assert.Equal(200, (int)(await plain.GetAsync(page.Next)).StatusCode);
        Assert.Contains("as alan@system", (await login.FinishAsync()).Text, StringComparison.Ordinal);
        Assert.Equal("alan@system", (await Candela(home, "whoami").FinishAsync()).Text);

        using var forged = Login(home, "--browser");
        back = System.Web.HttpUtility.ParseQueryString(new Uri((await forged.ReadUntilAsync("https://")).Trim()).Query)["redirect_uri"]!;
        _ = await plain.GetAsync(back + "?code=x&state=y&iss=" + Uri.EscapeDataString(platform.PublicUrl));
        var refused = await forged.FinishAsync();
        Assert.True(refused.ExitCode == 1 && refused.Output.Contains("state", StringComparison.Ordinal), $"{refused}");
    }

    [Fact]
    public async Task A_program_signs_in_by_the_client_of_its_service_account()
    {
        using var home = new TemporaryFolder();
        _ = (await platform.CandelaAsync("service-account", "create", "robot")).Text;
        _ = (await platform.CandelaAsync("bind", "add", "viewer", "service-account:robot", Project)).Text;
        var created = JsonNode.Parse((await platform.CandelaAsync("client", "create", "robot", "--service-account", "robot", "--audience", platform.Api, "-o", "json")).Text)!;
        using var login = Candela(home, "login", platform.PublicUrl, "--name", "there", "--ca-file", platform.RunFolder + "/roots.pem", "--client-id", (string)created["client"]!["id"]!);
        await login.Input.WriteAsync(System.Text.Encoding.ASCII.GetBytes((string)created["secret"]! + "\n"));
        Assert.Equal(0, (await login.FinishAsync()).ExitCode);
        Assert.Equal("robot@system", (await Candela(home, "whoami").FinishAsync()).Text);
        Assert.Equal(0, (await Candela(home, "ps").FinishAsync()).ExitCode);
        Assert.Equal(125, (await Candela(home, "run", Platform.Image, "true").FinishAsync()).ExitCode);
    }

    [Fact]
    public async Task Docker_by_TLS_is_the_owner_of_the_certificate_until_it_is_revoked()
    {
        using var folder = new TemporaryFolder();
        await platform.AddUserAsync("linus", Password);
        var result = await platform.CandelaAsync("cert", "docker", "user:linus@system", folder.File("linus"));
        Assert.True(result.ExitCode == 0, $"{result}");
        var made = result.Error;
        Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(folder.File("linus/key.pem")));

        // No certificate, one of a stranger, one without rights.
        using (var none = Docker(null, folder, "version"))
            Assert.NotEqual(0, (await none.FinishAsync()).ExitCode);
        Directory.CreateDirectory(folder.File("stranger"));
        File.Copy(folder.File("linus/ca.pem"), folder.File("stranger/ca.pem"));
        using (var openssl = new RunningCommand(
            "openssl", ["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout", folder.File("stranger/key.pem"), "-subj", "/CN=linus", "-out", folder.File("stranger/cert.pem")], new Dictionary<string, string>()))
            _ = (await openssl.FinishAsync()).Text;
        Assert.NotEqual(0, (await Docker("stranger", folder, "ps").FinishAsync()).ExitCode);
        var denied = await Docker("linus", folder, "ps").FinishAsync();
        Assert.True(denied.ExitCode != 0 && denied.Error.Contains("linus@system may not", StringComparison.Ordinal), $"{denied}");

        _ = (await platform.CandelaAsync("bind", "add", "developer", "user:linus", Project)).Text;
        Assert.Equal("hi", (await Docker("linus", folder, "run", "--rm", "--network=none", Platform.Image, "echo", "hi").FinishAsync()).Text);
        using (var cat = Docker("linus", folder, "run", "--rm", "-i", "--network=none", Platform.Image, "sh", "-c", "cat | wc -c; exit 9"))
        {
            await cat.Input.WriteAsync(new byte[300_000]);
            var end = await cat.FinishAsync();
            Assert.Equal((9, "300000\n"), (end.ExitCode, end.Output));
        }

        using (var shell = DockerTerminal("linus", folder, "run", "--rm", "-it", "--network=none", Platform.Image, "sh"))
        {
            await shell.TypeAsync("stty size; exit 4\n");
            await shell.ExpectAsync("33 99");
            Assert.Equal(4, await shell.ExitCodeAsync());
        }

        _ = (await Docker("linus", folder, "run", "-d", "--network=none", "--name", "tls", Platform.Image, "sh", "-c", "i=0; while :; do i=$((i+1)); echo line $i; sleep 0.1; done").FinishAsync()).Text;
        await File.WriteAllTextAsync(folder.File("note"), "carried");
        _ = (await Docker("linus", folder, "cp", folder.File("note"), "tls:/note").FinishAsync()).Text;
        Assert.Equal("carried", (await Docker("linus", folder, "exec", "tls", "cat", "/note").FinishAsync()).Text);
        _ = (await Docker("linus", folder, "cp", "tls:/note", folder.File("back")).FinishAsync()).Text;
        Assert.Equal("carried", await File.ReadAllTextAsync(folder.File("back")));
        using var logs = Docker("linus", folder, "logs", "-f", "tls");
        await logs.ReadUntilAsync("line 5");
        using var exec = Docker("linus", folder, "exec", "-i", "tls", "sh", "-c", "echo begun; cat");
        await exec.ReadUntilAsync("begun");

        var serial = made.Split("serial number ")[1].Split(':')[0];
        _ = (await platform.CandelaAsync("cert", "revoke", serial)).Text;
        var begun = Stopwatch.StartNew();
        while ((await Docker("linus", folder, "ps").FinishAsync()).ExitCode == 0)
            Assert.InRange(begun.Elapsed, TimeSpan.Zero, RevocationTime);
        await logs.EndAsync();
        await exec.EndAsync();
        Assert.InRange(begun.Elapsed, TimeSpan.Zero, RevocationTime);
        Assert.Contains("linus@system", await File.ReadAllTextAsync(platform.StateFolder + "/audit.log"), StringComparison.Ordinal);
        await platform.RemoveAsync("tls");
    }

    [Fact]
    public async Task A_right_that_is_taken_away_is_gone_on_every_way_in()
    {
        using var home = new TemporaryFolder();
        using var folder = new TemporaryFolder();
        await platform.AddUserAsync("eve", Password);
        var made = await platform.CandelaAsync("cert", "docker", "user:eve@system", folder.File("eve"));
        Assert.True(made.ExitCode == 0, $"{made}");
        await SignInAsync(home, "eve");
        _ = (await platform.CandelaAsync("user", "create", "seen@default")).Text;
        var ways = new Dictionary<string, Func<Task<bool>>>
        {
            ["REST by token"] = async () => (await Candela(home, "ps").FinishAsync()).ExitCode == 0,
            ["REST by certificate"] = async () => (await platform.CurlAsync("/containers", "--cert", folder.File("eve/cert.pem"), "--key", folder.File("eve/key.pem"))).Status == 200,
            ["Docker by TLS"] = async () => (await Docker("eve", folder, "ps").FinishAsync()).ExitCode == 0,
            ["LDAP"] = async () => (await LdapAsync("eve", "uid=seen,ou=people,dc=default")).Output.Contains("uid: seen", StringComparison.Ordinal),
        };
        var binding = "";
        async Task GiveAsync()
        {
            binding = (await platform.CandelaAsync("bind", "add", "auditor", "user:eve", "/")).Text;
            await ChangedAsync(ways, true);
        }

        await ChangedAsync(ways, false);
        await GiveAsync();
        _ = (await platform.CandelaAsync("bind", "rm", binding)).Text;
        await ChangedAsync(ways, false);

        // By a group, and out of it.
        _ = (await platform.CandelaAsync("group", "create", "watchers")).Text;
        _ = (await platform.CandelaAsync("group", "add", "watchers", "eve")).Text;
        _ = (await platform.CandelaAsync("bind", "add", "auditor", "group:watchers", "/")).Text;
        await ChangedAsync(ways, true);
        _ = (await platform.CandelaAsync("group", "remove", "watchers", "eve")).Text;
        await ChangedAsync(ways, false);

        await GiveAsync();
        _ = (await platform.CandelaAsync("user", "disable", "eve")).Text;
        await ChangedAsync(ways, false);
        _ = (await platform.CandelaAsync("user", "enable", "eve")).Text;
        await ChangedAsync(ways, true);
        _ = (await platform.CandelaAsync("user", "rm", "eve")).Text;
        await ChangedAsync(ways, false);
    }

    /// <summary>All ways are open, or none is, within the time of the bar.</summary>
    private static async Task ChangedAsync(Dictionary<string, Func<Task<bool>>> ways, bool isOpen)
    {
        var begun = Stopwatch.StartNew();
        foreach (var (name, ask) in ways)
        {
            while (await ask() != isOpen)
                Assert.True(begun.Elapsed < RevocationTime, $"{name} is {(isOpen ? "still closed" : "still open")} after {begun.Elapsed.TotalSeconds:0.0} s");
        }
    }

    private async Task<CommandResult> LdapAsync(string user, string entry)
    {
        using var search = new RunningCommand(
            "ldapsearch", ["-LLL", "-H", platform.LdapUrl, "-x", "-D", $"uid={user},ou=people,dc=system", "-w", Password, "-b", entry, "-s", "base", "(objectClass=*)"], new Dictionary<string, string>());
        return await search.FinishAsync();
    }

    /// <summary>Signs in as a user would who has the code on one screen and a browser on another.</summary>
    private async Task SignInAsync(TemporaryFolder home, string user)
    {
        using var login = Login(home, "--device");
        var path = (await login.ReadUntilAsync("https://")).Split(platform.PublicUrl)[1];
        using var browser = platform.Browser();
        var page = await browser.FollowAsync(await browser.GetAsync(path));
        page = await browser.FollowAsync(await browser.SubmitAsync(page, ("name", user), ("password", Password)));
        Assert.Contains("candela (command line)", page.Text, StringComparison.Ordinal);
        _ = await browser.SubmitAsync(page, ("decision", "allow"));
        Assert.Contains($"as {user}@system", (await login.FinishAsync()).Text, StringComparison.Ordinal);
    }

    /// <summary>Messages come on standard output, to be read as they come.</summary>
    private RunningCommand Login(TemporaryFolder home, string way) => new(
        "sh", ["-c", "exec \"$0\" \"$@\" 2>&1", Path.Combine(Platform.Binaries, "candela"), "login", platform.PublicUrl, "--name", "there", "--ca-file", platform.RunFolder + "/roots.pem", way], Environment(home, []));

    private static RunningCommand Candela(TemporaryFolder home, params string[] arguments) => Candela(home, [], arguments);

    private static RunningCommand Candela(TemporaryFolder home, (string, string)[] environment, params string[] arguments) =>
        new(Path.Combine(Platform.Binaries, "candela"), arguments, Environment(home, environment));

    private static TerminalClient Terminal(TemporaryFolder home, params string[] arguments) =>
        TerminalClient.Start((33, 99), Environment(home, []).Select(v => $"{v.Key}={v.Value}"), [Path.Combine(Platform.Binaries, "candela"), .. arguments]);

    private RunningCommand Docker(string? account, TemporaryFolder folder, params string[] arguments) =>
        new("docker", ["--tlsverify", "-H", platform.DockerUrl, .. arguments], DockerEnvironment(account, folder));

    private TerminalClient DockerTerminal(string account, TemporaryFolder folder, params string[] arguments) =>
        TerminalClient.Start((33, 99), DockerEnvironment(account, folder).Select(v => $"{v.Key}={v.Value}"), ["docker", "--tlsverify", "-H", platform.DockerUrl, .. arguments]);

    private static Dictionary<string, string> DockerEnvironment(string? account, TemporaryFolder folder) => new()
    {
        ["DOCKER_CONFIG"] = folder.File("docker-configuration"),
        ["DOCKER_CERT_PATH"] = folder.File(account ?? "nobody"),
        ["DOCKER_CLI_HINTS"] = "false",
    };

    private static Dictionary<string, string> Environment(TemporaryFolder home, (string Name, string Value)[] more)
    {
        var all = new Dictionary<string, string> { ["XDG_CONFIG_HOME"] = home.Path, ["CANDELA_HOST"] = "", ["DISPLAY"] = "", ["WAYLAND_DISPLAY"] = "" };
        foreach (var (name, value) in more)
            all[name] = value;
        return all;
    }
}
