using Candela.Identity.Accounts;
using Candela.Identity.Acme.Challenges;
using Candela.Identity.Authentication;
using Candela.Identity.Kerberos;
using Candela.Identity.Secrets;
using Candela.Identity.SignIn;
using Candela.Identity.Tests.Tools;
using Candela.Model;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging.Abstractions;

namespace Candela.Identity.Tests.Kerberos;

/// <summary>curl --negotiate at the sign-in page, and at the REST API.</summary>
[Collection(AcceptorCollection.Name)]
public sealed class SpnegoTests : KerberosBench
{
    private WebBench _web = null!;
    private TrustHost _trust = null!;

    private string Url => $"http://localhost:{_web.Address.Port}/sign-in/ticket";

    public override async ValueTask InitializeAsync()
    {
        await base.InitializeAsync();
        _trust = await TrustHost.OpenAsync(
            Identity.Store, Identity.Get<ISecretBox>(), Identity.Directory, new SystemAcmeResolver(), new TrustOptions(), TimeProvider.System, NullLoggerFactory.Instance, Token);
        var callers = new RemoteCallers(
            _trust.Authority, Identity.Directory, _trust.Domain, null, Audit, TimeProvider.System, "https://candela.example/v1", Identity.Get<TicketAcceptor>());
        _web = await WebBench.StartAsync(_ => { }, application =>
        {
            application.MapSignIn(Identity.Get<IServiceProvider>());
            application.MapGet("/v1/whoami", async context =>
            {
                try
                {
                    await context.Response.WriteAsync((await callers.FindAsync(context))?.Name ?? "nobody");
                }
                catch (CandelaException e)
                {
                    context.Response.StatusCode = StatusCodes.Status401Unauthorized;
                    await context.Response.WriteAsync(e.Message);
                }
            });
        });
        await AddUserAsync("ada");
        await SignInAsync("ada");
    }

    public override async ValueTask DisposeAsync()
    {
        await _web.DisposeAsync();
        await _trust.DisposeAsync();
        await base.DisposeAsync();
    }

    protected override void AddServices(IServiceCollection services) => services.AddSignIn(new SignInOptions { PublicUrl = new Uri("https://candela.example") });

    [Fact]
    public async Task A_ticket_signs_a_browser_in()
    {
        var output = await CurlAsync("--negotiate", "-u", ":");
        Assert.Contains("HTTP/1.1 200", output, StringComparison.Ordinal);
        Assert.Contains("Set-Cookie: __Host-", output, StringComparison.Ordinal);
        Assert.Contains("WWW-Authenticate: Negotiate o", output, StringComparison.Ordinal); // the server's proof: an SPNEGO answer
        Assert.Contains(Audit.Records, record => record is { Action: "signin", Failure: null, Actor.Name: "ada@system" } && record.Target.EndsWith(" wia", StringComparison.Ordinal));
    }

    [Fact]
    public async Task Without_a_ticket_and_with_garbage_there_is_the_password_page()
    {
        var output = await CurlAsync();
        Assert.Contains("HTTP/1.1 401", output, StringComparison.Ordinal);
        Assert.Contains("WWW-Authenticate: Negotiate", output, StringComparison.Ordinal);
        Assert.Contains("name=\"password\"", output, StringComparison.Ordinal);
        foreach (var token in new[] { "", "!", "AAAA", "YIIC", "TlRMTVNTUAABAAAAB4IIogAAAAAAAAAAAAAAAAAAAAAKAGNFAAAADw==" })
        {
            output = await CurlAsync("-H", "Authorization: Negotiate " + token);
            Assert.Contains("HTTP/1.1 401", output, StringComparison.Ordinal);
        }

        Assert.DoesNotContain(Audit.Records, record => record is { Action: "signin", Failure: null });
    }

    [Fact]
    public async Task A_ticket_of_a_disabled_account_is_refused_at_once()
    {
        await RunAsync("kvno", null, "HTTP/localhost");
        var user = (User)Identity.Directory.Current.Find(Identity.SystemId, "ada")!;
        await Identity.Directory.UpdateAsync(user with { Enabled = false }, Token);
        Assert.DoesNotContain("HTTP/1.1 200", await CurlAsync("--negotiate", "-u", ":"), StringComparison.Ordinal);
        Assert.Contains(Audit.Records, record => record is { Action: "signin", Failure: not null, Target: "ticket" });
    }

    [Fact]
    public async Task A_ticket_names_the_caller_of_the_REST_API()
    {
        var api = $"http://localhost:{_web.Address.Port}/v1/whoami";
        var output = await CurlAtAsync(api, "--negotiate", "-u", ":");
        Assert.Contains("HTTP/1.1 200", output, StringComparison.Ordinal);
        Assert.EndsWith("ada@system", output, StringComparison.Ordinal);
        Assert.EndsWith("nobody", await CurlAtAsync(api), StringComparison.Ordinal);
        Assert.Contains("HTTP/1.1 401", await CurlAtAsync(api, "-H", "Authorization: Negotiate AAAA"), StringComparison.Ordinal);

        // Browsers send tickets for whatever page asks: another site's page gets nothing by it.
        foreach (var header in new[] { "Origin: https://evil.example", "Origin: null", "Sec-Fetch-Site: cross-site", "Sec-Fetch-Site: same-site" })
            Assert.Contains("another site", await CurlAtAsync(api, "--negotiate", "-u", ":", "-H", header), StringComparison.Ordinal);
        Assert.EndsWith("ada@system", await CurlAtAsync(api, "--negotiate", "-u", ":", "-H", "Origin: https://candela.example", "-H", "Sec-Fetch-Site: same-origin"), StringComparison.Ordinal);
        Assert.Equal(5, Audit.Records.Count(record => record is { Action: "sign-in.request", Failure: not null }));

        var user = (User)Identity.Directory.Current.Find(Identity.SystemId, "ada")!;
        await Identity.Directory.UpdateAsync(user with { Enabled = false }, Token);
        Assert.Contains("HTTP/1.1 401", await CurlAtAsync(api, "--negotiate", "-u", ":"), StringComparison.Ordinal);
    }

    private Task<string> CurlAsync(params string[] arguments) => CurlAtAsync(Url, arguments);

    private async Task<string> CurlAtAsync(string url, params string[] arguments)
    {
        var (exitCode, output) = await Tool.TryRunAsync("curl", null, Variables(Identity.Get<KerberosOptions>()), ["-sS", "-i", "--max-time", "30", .. arguments, url]);
        Assert.True(exitCode == 0, output);
        return output;
    }
}
