using Candela.Identity.Accounts;
using Candela.Identity.Kerberos;
using Candela.Identity.SignIn;
using Candela.Identity.Tests.Tools;
using Microsoft.Extensions.DependencyInjection;

namespace Candela.Identity.Tests.Kerberos;

/// <summary>curl --negotiate at the sign-in page.</summary>
[Collection(AcceptorCollection.Name)]
public sealed class SpnegoTests : KerberosBench
{
    private WebBench _web = null!;

    private string Url => $"http://localhost:{_web.Address.Port}/sign-in/ticket";

    public override async ValueTask InitializeAsync()
    {
        await base.InitializeAsync();
        _web = await WebBench.StartAsync(_ => { }, application => application.MapSignIn(Identity.Get<IServiceProvider>()));
        await AddUserAsync("ada");
        await SignInAsync("ada");
    }

    public override async ValueTask DisposeAsync()
    {
        await _web.DisposeAsync();
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

    private async Task<string> CurlAsync(params string[] arguments)
    {
        var (exitCode, output) = await Tool.TryRunAsync("curl", null, Variables(Identity.Get<KerberosOptions>()), ["-sS", "-i", "--max-time", "30", .. arguments, Url]);
        Assert.True(exitCode == 0, output);
        return output;
    }
}
