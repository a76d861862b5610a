using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Net.Http.Headers;
using System.Net.Sockets;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using System.Text.Json.Nodes;
using Candela.Cli.Api;
using Candela.Cli.Http;
using Candela.Cli.Output;
using Candela.Model.Identity;

namespace Candela.Bench.Sections;

/// <summary>
/// Tokens by client credentials and sign-ins by password over HTTPS, client certificates over the local socket, as clients see them: how many a second, and
/// how many for a second of candelad's own CPU time, which is what a core to itself would give; and how long a decision takes, asked from outside.
/// </summary>
internal static class IdentitySection
{
    private const int ClientCount = 8;
    private const int TokenCount = 6000;
    private const int WarmUpCount = 1500;
    private const int SignInCount = 40;
    private const int CertificateCount = 1500;
    private const int DecisionCount = 4000;
    private const string Password = "correct horse battery staple";

    private static readonly TimeSpan StartTime = TimeSpan.FromMinutes(5);

    public static void Measure(BenchOptions options, string folder, Report report)
    {
        var port = FreePort();
        var run = Path.Combine(folder, "run");
        using var daemon = Process.Start(new ProcessStartInfo(Path.Combine(options.Programs, "candelad"),
            ["--state", Path.Combine(folder, "state"), "--run", run, "--waiting", "1", "--log-level", "warning", "--host-name", "localhost", "--https", $"127.0.0.1:{port}"])
        { RedirectStandardOutput = true })!;
        daemon.OutputDataReceived += (_, _) => { };
        daemon.BeginOutputReadLine();
        try
        {
            using var api = WaitUntilReady(Path.Combine(run, "candela.sock"));
            var made = api.Post(
                IdentityRoutes.Clients, new CreateClientRequest { Name = "bench", Authentication = "secret", Grants = ["client_credentials"], Scopes = ["orders"], Audiences = ["https://api.example/"] },
                Wire.Default.CreateClientRequest, Wire.Default.ClientSecretReport);
            for (var i = 0; i < SignInCount; i++)
                api.Post(IdentityRoutes.Users, new CreateAccountRequest { Name = $"user{i}", Password = Password, MustChangePassword = false }, Wire.Default.CreateAccountRequest, Wire.Default.AccountReport);
            using var http = Connect(port, Path.Combine(run, "roots.pem"));
            var credential = Convert.ToBase64String(Encoding.UTF8.GetBytes($"{Uri.EscapeDataString(made.Client.Id)}:{made.Secret}"));
            Repeat(WarmUpCount, _ => TokenAsync(http, credential));
            var tokens = Timed(daemon.Id, TokenCount, () => Repeat(TokenCount, _ => TokenAsync(http, credential)));
            var first = Timed(daemon.Id, SignInCount, () => Repeat(SignInCount, i => SignInAsync(http, i)));
            var again = Timed(daemon.Id, SignInCount, () => Repeat(SignInCount, i => SignInAsync(http, i)));
            var requests = Enumerable.Range(0, CertificateCount + WarmUpCount / 10).Select(_ => SigningRequest()).ToArray();
            Issue(api, requests.AsSpan(CertificateCount));
            var certificates = Timed(daemon.Id, CertificateCount, () => IssueByMany(api, requests[..CertificateCount]));
            var decisions = Decide(api);
            var table = new Table("WHAT", "A SECOND", "A SECOND OF CANDELAD'S CPU");
            table.Add("tokens by client credentials (ES256)", Report.Number(tokens.PerSecond, "0"), Report.Number(tokens.PerCpuSecond, "0"));
            table.Add("sign-ins by password, page and form (Argon2id)", Report.Number(first.PerSecond, "0"), Report.Number(first.PerCpuSecond, "0"));
            table.Add("the same within two minutes (no hash)", Report.Number(again.PerSecond, "0"), Report.Number(again.PerCpuSecond, "0"));
            table.Add("client certificates for signing requests (P-256)", Report.Number(certificates.PerSecond, "0"), Report.Number(certificates.PerCpuSecond, "0"));
            table.Add($"a decision with its explanation, over the socket: median {decisions.Median:0.000} ms, 99 % {decisions.Late:0.000} ms, one caller", Report.Number(1000 / decisions.Median, "0"), "");
            report.Section("identity", $"Tokens and sign-ins over HTTPS, certificates and decisions over the socket ({ClientCount} clients at a time)", table, new JsonObject
            {
                ["certificatesPerSecond"] = Report.Rounded(certificates.PerSecond),
                ["certificatesPerCpuSecond"] = Report.Rounded(certificates.PerCpuSecond),
                ["decisionMedianMilliseconds"] = Math.Round(decisions.Median, 3),
                ["decisionLateMilliseconds"] = Math.Round(decisions.Late, 3),
                ["tokensPerSecond"] = Report.Rounded(tokens.PerSecond),
                ["tokensPerCpuSecond"] = Report.Rounded(tokens.PerCpuSecond),
                ["signInsPerSecond"] = Report.Rounded(first.PerSecond),
                ["signInsPerCpuSecond"] = Report.Rounded(first.PerCpuSecond),
                ["repeatedSignInsPerSecond"] = Report.Rounded(again.PerSecond),
                ["repeatedSignInsPerCpuSecond"] = Report.Rounded(again.PerCpuSecond),
            });
        }
        finally
        {
            Engine.Execute(Path.Combine(options.Programs, "candela"), "down", "--containers", "--run", run);
            daemon.WaitForExit();
        }
    }

    private static string SigningRequest()
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        return new CertificateRequest("", key, HashAlgorithmName.SHA256).CreateSigningRequestPem();
    }

    private static void Issue(DaemonClient client, ReadOnlySpan<string> requests)
    {
        foreach (var request in requests)
            client.Post(IdentityRoutes.Certificates, new RequestCertificateRequest { Owner = "user:user0@system", Request = request }, Wire.Default.RequestCertificateRequest);
    }

    private static void IssueByMany(DaemonClient api, string[] requests) => Parallel.ForEach(
        requests.Chunk(requests.Length / ClientCount), new ParallelOptions { MaxDegreeOfParallelism = ClientCount }, chunk =>
        {
            using var client = api.Another();
            Issue(client, chunk);
        });

    /// <summary>Milliseconds of a decision about a user with a binding, among a few others, as the command line asks for it.</summary>
    private static (double Median, double Late) Decide(DaemonClient api)
    {
        const string Scope = "/tenants/default/projects/default";
        api.Post(IdentityRoutes.Bindings, new CreateBindingRequest { Subject = "user:user0@system", Role = "developer", Scope = Scope }, Wire.Default.CreateBindingRequest);
        var target = Routes.Query(IdentityRoutes.CanI, ("permission", "container:create"), ("scope", Scope), ("subject", "user:user0@system"));
        var times = new double[DecisionCount];
        for (var i = -DecisionCount / 4; i < DecisionCount; i++)
        {
            var begun = Stopwatch.GetTimestamp();
            api.GetJson(target);
            if (i >= 0)
                times[i] = Stopwatch.GetElapsedTime(begun).TotalMilliseconds;
        }

        Array.Sort(times);
        return (times[DecisionCount / 2], times[DecisionCount * 99 / 100]);
    }

    private static DaemonClient WaitUntilReady(string socket)
    {
        var begun = Stopwatch.GetTimestamp();
        using var pause = new ManualResetEventSlim();
        while (true)
        {
            try
            {
                var client = new DaemonClient(socket);
                if (client.Get(Routes.Status, Wire.Default.StatusAnswer).Ready)
                    return client;
                client.Dispose();
            }
            catch (DaemonUnreachableException) when (Stopwatch.GetElapsedTime(begun) < StartTime)
            {
                // It has only just been started.
            }

            if (Stopwatch.GetElapsedTime(begun) > StartTime)
                throw new TimeoutException("candelad did not get ready");
            pause.Wait(TimeSpan.FromMilliseconds(200));
        }
    }

    private static (double PerSecond, double PerCpuSecond) Timed(int pid, int count, Action action)
    {
        var cpu = ProcessCpu.Of(pid);
        var begun = Stopwatch.GetTimestamp();
        action();
        var elapsed = Stopwatch.GetElapsedTime(begun).TotalSeconds;
        return (count / elapsed, count / (ProcessCpu.Of(pid) - cpu).TotalSeconds);
    }

    private static void Repeat(int count, Func<int, Task> action) =>
        Task.WhenAll(Enumerable.Range(0, ClientCount).Select(async worker =>
        {
            for (var i = worker; i < count; i += ClientCount)
                await action(i);
        })).GetAwaiter().GetResult();

    private static async Task TokenAsync(HttpClient http, string credential)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, "/oauth2/token") { Content = new FormUrlEncodedContent([KeyValuePair.Create("grant_type", "client_credentials")]) };
        request.Headers.Authorization = new AuthenticationHeaderValue("Basic", credential);
        using var response = await http.SendAsync(request);
        response.EnsureSuccessStatusCode();
        await response.Content.ReadAsByteArrayAsync();
    }

    /// <summary>The page, then the form, as a browser does it.</summary>
    private static async Task SignInAsync(HttpClient http, int user)
    {
        using var page = await http.GetAsync("/sign-in");
        var cookie = page.Headers.GetValues("Set-Cookie").Single().Split(';')[0];
        var text = await page.Content.ReadAsStringAsync();
        const string Field = "name=\"form_token\" value=\"";
        var at = text.IndexOf(Field, StringComparison.Ordinal) + Field.Length;
        using var form = new HttpRequestMessage(HttpMethod.Post, "/sign-in")
        {
            Content = new FormUrlEncodedContent(new Dictionary<string, string> { ["form_token"] = text[at..text.IndexOf('"', at)], ["name"] = $"user{user}", ["password"] = Password }),
        };
        form.Headers.Add("Cookie", cookie);
        using var answer = await http.SendAsync(form);
        answer.EnsureSuccessStatusCode();
    }

    private static HttpClient Connect(int port, string rootsFile)
    {
        X509Certificate2Collection roots = [];
        roots.ImportFromPemFile(rootsFile);
        var handler = new SocketsHttpHandler { AllowAutoRedirect = false, UseCookies = false };
        handler.SslOptions.CertificateChainPolicy = new X509ChainPolicy { TrustMode = X509ChainTrustMode.CustomRootTrust, RevocationMode = X509RevocationMode.NoCheck };
        handler.SslOptions.CertificateChainPolicy.CustomTrustStore.AddRange(roots);
        return new HttpClient(handler) { BaseAddress = new Uri(string.Create(CultureInfo.InvariantCulture, $"https://localhost:{port}")) };
    }

    private static int FreePort()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        return ((IPEndPoint)listener.LocalEndpoint).Port;
    }
}
