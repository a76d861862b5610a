using System.Text.Json;
using Candela.Identity.Accounts;
using Candela.Identity.Tests.Tools;

namespace Candela.Identity.Tests.Passkeys;

/// <summary>A real browser with a virtual authenticator.</summary>
public sealed class BrowserTests
{
    [Fact]
    public async Task Chromium_adds_a_passkey_signs_in_by_it_and_after_the_password_and_removes_it()
    {
        await using var bench = await BrowserBench.StartAsync(null, null);
        await bench.AddUserAsync(new User { DomainId = bench.Identity.SystemId, Name = "ada" });
        var seen = await NodeTool.RunAsync("passkeys.mjs", "run", new { idp = bench.Origin, bench.Spki, name = "ada", password = BrowserBench.Password });
        var text = seen.GetRawText();
        Assert.False(seen.TryGetProperty("error", out _), text);
        foreach (var signedIn in new[] { "byPassword", "withoutPassword", "afterPassword", "passwordEnough" })
            Assert.True(Text(seen, signedIn) == "ada@system", text);
        Assert.True(seen.GetProperty("added").GetBoolean() && seen.GetProperty("credentials").GetInt32() == 1, text);
        Assert.Equal("/sign-in/code", Text(seen, "secondFactorAsked"));
        Assert.Contains("NotAllowedError", Text(seen, "refusedUnverified"), StringComparison.Ordinal);
        Assert.Contains("not accepted", Text(seen, "removedRefused"), StringComparison.Ordinal);
    }

    private static string? Text(JsonElement element, string name) => element.GetProperty(name).GetString();
}
