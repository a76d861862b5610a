using System.Diagnostics;
using Candela.Identity.Accounts;
using Candela.Identity.Authentication;
using Candela.Identity.Kerberos;
using Candela.Identity.Storage;

namespace Candela.Identity.Tests.Kerberos;

/// <summary>MIT's kinit, klist and kvno against the KDC that Candela feeds.</summary>
public sealed class KdcTests : KerberosBench
{
    /// <summary>What the bar allows a revocation to take.</summary>
    private static readonly TimeSpan RevocationTime = TimeSpan.FromSeconds(5);

    [Fact]
    public async Task A_password_is_good_for_tickets_of_services_under_aes_only()
    {
        await AddUserAsync("ada");
        await SignInAsync("ada");
        await RunAsync("kvno", null, "host/localhost", "HTTP/localhost", "ldap/localhost");
        var list = await RunAsync("klist", null, "-e");
        Assert.Contains("ada@TEST.EXAMPLE", list, StringComparison.Ordinal);
        Assert.Contains("ldap/localhost@TEST.EXAMPLE", list, StringComparison.Ordinal);
        Assert.All(list.Split('\n').Where(line => line.Contains("Etype", StringComparison.Ordinal)), line => Assert.DoesNotMatch("arcfour|des|camellia", line));

        // No ticket that is encrypted by a key of somebody's password, which could be guessed at leisure.
        Assert.NotEqual(0, (await TryAsync("kvno", null, "ada")).ExitCode);
        var sealedKeys = (await Identity.Store.GetAsync($"/identity/credentials/{Identity.Directory.Current.Find(Identity.SystemId, "ada")!.Id}", Token))!.Value;
        Assert.Contains("\"kerberos\"", System.Text.Encoding.UTF8.GetString(sealedKeys.Span), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Users_of_other_domains_sign_in_by_their_whole_name()
    {
        var acme = await Identity.Directory.CreateDomainAsync(new Domain { Name = "acme", Tenant = "acme" }, Token);
        await Identity.Credentials.CreateAsync(new User { DomainId = acme.Id, Name = "bob" }, Password, mustChange: false, Token);
        await UntilAsync("bob@acme", Password, (exitCode, _) => exitCode == 0, "-E");
        Assert.Contains("bob\\@acme@TEST.EXAMPLE", await RunAsync("klist", null), StringComparison.Ordinal);
        Assert.NotEqual(0, (await TryAsync("kinit", Password + "\n", "bob")).ExitCode);
    }

    [Fact]
    public async Task A_disabled_account_and_a_changed_password_take_effect_within_seconds()
    {
        var user = await AddUserAsync("ada");
        await SignInAsync("ada");

        var begun = Stopwatch.StartNew();
        await Identity.Credentials.SetPasswordAsync(user.Id, "quite another battery", mustChange: false, Token);
        await UntilAsync("ada", Password, (exitCode, _) => exitCode != 0);
        Assert.InRange(begun.Elapsed, TimeSpan.Zero, RevocationTime);
        await SignInAsync("ada", "quite another battery");

        begun.Restart();
        user = await Identity.Directory.UpdateAsync((User)Identity.Directory.Current.Get(user.Id)! with { Enabled = false }, Token);
        await UntilAsync("ada", "quite another battery", (exitCode, output) => exitCode != 0 && output.Contains("revoked", StringComparison.Ordinal));
        Assert.InRange(begun.Elapsed, TimeSpan.Zero, RevocationTime);

        await Identity.Directory.UpdateAsync(user with { Enabled = true }, Token);
        await SignInAsync("ada", "quite another battery");
        await Identity.Directory.DeleteAsync(user.Id, null, Token);
        await UntilAsync("ada", "quite another battery", (exitCode, _) => exitCode != 0);
    }

    [Fact]
    public async Task Guessing_locks_the_name_everywhere_and_is_in_the_audit_log()
    {
        var user = await AddUserAsync("ada");
        await SignInAsync("ada");
        for (int guess = 0; guess < 10; guess++)
            Assert.NotEqual(0, (await TryAsync("kinit", $"guess number {guess}\n", "ada")).ExitCode);
        await UntilAsync("ada", Password, (exitCode, output) => exitCode != 0 && output.Contains("revoked", StringComparison.Ordinal));
        var status = await Identity.Credentials.GetStatusAsync(user.Id, Token);
        Assert.NotNull(status.LockedUntil);
        Assert.Equal(RefusalReason.LockedOut, (await Identity.Authenticator.VerifyPasswordAsync(new LoginName("system", "ada"), Password, Token)).Reason);

        Assert.Contains(Audit.Records, record => record is { Action: "kerberos.sign-in", Failure: null, Target: "ada@TEST.EXAMPLE", Actor.From: "127.0.0.1" });
        Assert.True(Audit.Records.Count(record => record.Action == "kerberos.sign-in" && record.Failure?.Message == "PREAUTH_FAILED") >= 10);

        await Identity.Credentials.UnlockAsync(user.Id, Token);
    }

    [Fact]
    public async Task Who_locked_themselves_out_elsewhere_is_locked_out_here_until_unlocked()
    {
        var user = await AddUserAsync("ada");
        await SignInAsync("ada");
        for (int guess = 0; guess < 10; guess++)
            await Identity.Authenticator.VerifyPasswordAsync(new LoginName("system", "ada"), "wrong", Token);
        await UntilAsync("ada", Password, (exitCode, output) => exitCode != 0 && output.Contains("revoked", StringComparison.Ordinal));
        await Identity.Credentials.UnlockAsync(user.Id, Token);
        await SignInAsync("ada");
    }

    [Fact]
    public async Task A_password_that_must_be_changed_is_good_for_nothing_else()
    {
        await AddUserAsync("ada", mustChange: true);
        await UntilAsync("ada", Password, (exitCode, output) => exitCode != 0 && !output.Contains("Client", StringComparison.Ordinal));
        Assert.Contains(Audit.Records, record => record is { Action: "kerberos.sign-in", Target: "ada@TEST.EXAMPLE", Failure.Message: "REQUIRED PWCHANGE" });
    }

    [Fact]
    public async Task Who_has_a_second_factor_does_not_get_in_by_the_password_alone()
    {
        var user = await AddUserAsync("ada");
        await SignInAsync("ada");
        var key = await Identity.Credentials.BeginTotpAsync(user.Id, Token);
        await Identity.Credentials.ConfirmTotpAsync(user.Id, CodeOf(key.Secret), Token);
        await UntilAsync("ada", Password, (exitCode, _) => exitCode != 0);
    }

    [Fact]
    public async Task Keys_are_made_at_a_sign_in_where_there_are_none_and_any_controller_serves_them()
    {
        // Made by a controller without Kerberos, as by an installation before it had any.
        await using var former = await IdentityFixture.StartAsync(beside: Identity);
        await former.Credentials.CreateAsync(new User { DomainId = Identity.SystemId, Name = "ada" }, Password, mustChange: false, Token);
        await UntilAsync("ada", Password, (exitCode, output) => exitCode != 0 && output.Contains("not found", StringComparison.Ordinal));
        await Identity.Get<IdentityReplica>().RefreshAsync(Token);
        Assert.Equal(AuthenticationOutcome.Succeeded, (await Identity.Authenticator.VerifyPasswordAsync(new LoginName("system", "ada"), Password, Token)).Outcome);
        await SignInAsync("ada");

        var options = MakeOptions("second");
        await using var second = await IdentityFixture.StartAsync(beside: Identity, more: services => services.AddKerberos(options));
        await using var host = second.Get<KerberosHost>();
        await host.StartAsync(Token);

        // A ticket of the first KDC is good at the second, and services have the same keys.
        var (exitCode, output) = await TryAtAsync(options, "kvno", null, "ldap/localhost");
        Assert.True(exitCode == 0, output);
        (exitCode, output) = await TryAtAsync(options, "kinit", Password + "\n", "ada");
        Assert.True(exitCode == 0, output);

        // A controller without Kerberos sets another password: the keys of the former one end, too.
        await former.Credentials.SetPasswordAsync(Identity.Directory.Current.Find(Identity.SystemId, "ada")!.Id, "quite another battery", mustChange: false, Token);
        await UntilAsync("ada", Password, (code, _) => code != 0);
    }

    [Fact]
    public async Task A_killed_kdc_is_started_again()
    {
        await AddUserAsync("ada");
        await SignInAsync("ada");
        var killed = Host.ProcessId!.Value;
        using (var process = Process.GetProcessById(killed))
            process.Kill();
        await SignInAsync("ada");
        Assert.NotEqual(killed, Host.ProcessId);
    }

    [Fact]
    public async Task The_kdc_has_no_rights_and_others_cannot_read_its_files()
    {
        await AddUserAsync("ada");
        await SignInAsync("ada");
        var options = Identity.Get<KerberosOptions>();
        Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, System.IO.File.GetUnixFileMode(options.KeytabPath));
        Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute, System.IO.File.GetUnixFileMode(options.Folder));
        Assert.False(System.IO.File.Exists(Path.Combine(options.Folder, "dump")));
        Assert.SkipUnless(options.UserId is not null, "only root can run it as another user");
        var status = await System.IO.File.ReadAllLinesAsync($"/proc/{Host.ProcessId}/status", Token);
        Assert.Contains($"Uid:\t{options.UserId}\t{options.UserId}\t{options.UserId}\t{options.UserId}", status);
        Assert.Contains("CapEff:\t0000000000000000", status);
        Assert.Contains("CapBnd:\t0000000000000000", status);
        Assert.Contains("NoNewPrivs:\t1", status);
    }

    [Fact]
    public async Task Another_realm_than_the_installation_s_is_refused()
    {
        await using var other = await IdentityFixture.StartAsync(beside: Identity, more: services => services.AddKerberos(MakeOptions("other") with { Realm = "OTHER.EXAMPLE" }));
        var refusal = await Assert.ThrowsAsync<Candela.Model.CandelaException>(() => other.Get<KerberosHost>().StartAsync(Token));
        Assert.Contains("TEST.EXAMPLE", refusal.Message, StringComparison.Ordinal);
    }

    private string CodeOf(string base32)
    {
        var bits = string.Concat(base32.Select(c => Convert.ToString("ABCDEFGHIJKLMNOPQRSTUVWXYZ234567".IndexOf(c, StringComparison.Ordinal), 2).PadLeft(5, '0')));
        var secret = bits.Chunk(8).Where(octet => octet.Length == 8).Select(octet => Convert.ToByte(new string(octet), 2)).ToArray();
        return Totp.Code(secret, Totp.StepOf(Identity.Time.GetUtcNow()));
    }
}
