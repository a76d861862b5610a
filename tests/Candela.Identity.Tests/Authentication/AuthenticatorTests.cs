using Candela.Identity.Accounts;
using Candela.Identity.Authentication;
using Candela.Identity.Secrets;
using Candela.Model;

namespace Candela.Identity.Tests.Authentication;

public sealed class AuthenticatorTests : IAsyncLifetime
{
    private const string Password = "correct horse battery";
    private const string Other = "staple and something";

    private static readonly LoginName Ada = new("system", "ada");

    private IdentityFixture _identity = null!;

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync() => _identity = await IdentityFixture.StartAsync();

    public ValueTask DisposeAsync() => _identity.DisposeAsync();

    [Fact]
    public async Task The_right_password_lets_in_and_everything_else_is_refused_alike()
    {
        var ada = await AddAsync();
        Assert.Equal((AuthenticationOutcome.Succeeded, ada.Id), await TryAsync(Ada, Password));
        Assert.Equal((AuthenticationOutcome.Succeeded, ada.Id), await TryAsync(new("SYSTEM", "ADA"), Password));
        await _identity.AddUserAsync("eve");
        await _identity.AddGroupAsync("group");
        foreach (var (login, password, reason) in new[]
        {
            (Ada, Password + " ", RefusalReason.WrongPassword),
            (Ada, "", RefusalReason.WrongPassword),
            (Ada, new string('x', 100_000), RefusalReason.WrongPassword),
            (new("system", "nobody"), Password, RefusalReason.UnknownAccount),
            (new("nowhere", "ada"), Password, RefusalReason.UnknownAccount),
            (new("system", "group"), Password, RefusalReason.UnknownAccount),
            (new("system", "eve"), Password, RefusalReason.NoPassword),
        })
            Assert.Equal(new AuthenticationResult(AuthenticationOutcome.Refused, null, reason), await _identity.Authenticator.VerifyPasswordAsync(login, password, Token));
    }

    [Theory]
    [InlineData(false, true)]
    [InlineData(true, false)]
    public async Task A_disabled_account_or_domain_is_not_let_in(bool accountEnabled, bool domainEnabled)
    {
        var domain = await _identity.Directory.CreateDomainAsync(new Domain { Name = "acme", Tenant = "acme" }, Token);
        var eve = await _identity.Credentials.CreateAsync(new User { DomainId = domain.Id, Name = "eve" }, Password, mustChange: false, Token);
        Assert.Equal((AuthenticationOutcome.Succeeded, eve.Id), await TryAsync(new("acme", "eve"), Password));
        await _identity.Directory.UpdateAsync(eve with { Enabled = accountEnabled }, Token);
        await _identity.Directory.UpdateDomainAsync(domain with { Enabled = domainEnabled }, Token);
        var refused = await _identity.Authenticator.VerifyPasswordAsync(new("acme", "eve"), Password, Token);
        Assert.Equal((AuthenticationOutcome.Refused, RefusalReason.Disabled), (refused.Outcome, refused.Reason));
    }

    [Fact]
    public async Task Guessing_locks_the_name_for_longer_and_longer_and_by_every_controller()
    {
        await AddAsync();
        await using var other = await IdentityFixture.StartAsync(_identity);
        for (int i = 0; i < 10; i++)
            await (i % 2 == 0 ? _identity : other).Authenticator.VerifyPasswordAsync(Ada, "wrong password", Token);
        Assert.Equal(RefusalReason.LockedOut, await ReasonAsync(other, Password));
        _identity.Time.Advance(TimeSpan.FromSeconds(59));
        Assert.Equal(RefusalReason.LockedOut, await ReasonAsync(_identity, Password));
        _identity.Time.Advance(TimeSpan.FromSeconds(2));
        Assert.Equal(RefusalReason.WrongPassword, await ReasonAsync(_identity, "wrong password"));
        _identity.Time.Advance(TimeSpan.FromSeconds(110));
        Assert.Equal(RefusalReason.LockedOut, await ReasonAsync(_identity, Password));
        _identity.Time.Advance(TimeSpan.FromSeconds(11));
        Assert.Equal(RefusalReason.None, await ReasonAsync(_identity, Password));

        // All is forgotten.
        for (int i = 0; i < 9; i++)
            Assert.Equal(RefusalReason.WrongPassword, await ReasonAsync(_identity, "wrong password"));
        Assert.Equal(RefusalReason.None, await ReasonAsync(_identity, Password));
    }

    [Fact]
    public async Task Unknown_names_are_locked_like_known_ones()
    {
        await AddAsync();
        foreach (var name in new[] { "ada", "nobody" })
        {
            for (int i = 0; i < 10; i++)
                await _identity.Authenticator.VerifyPasswordAsync(new("system", name), "wrong password", Token);
        }

        Assert.Equal(RefusalReason.LockedOut, (await _identity.Authenticator.VerifyPasswordAsync(new("system", "nobody"), "wrong password", Token)).Reason);
    }

    [Fact]
    public async Task How_long_a_refusal_takes_says_nothing_of_the_name()
    {
        await using var identity = await IdentityFixture.StartAsync(_identity, new PasswordCost(8192, 1, 1));
        await identity.Credentials.CreateAsync(new User { DomainId = identity.SystemId, Name = "ada" }, Password, mustChange: false, Token);
        await identity.Directory.CreateAsync(new User { DomainId = identity.SystemId, Name = "eve" }, Token);
        var off = await identity.Credentials.CreateAsync(new User { DomainId = identity.SystemId, Name = "off" }, Password, mustChange: false, Token);
        await identity.Directory.UpdateAsync(off with { Enabled = false }, Token);
        LoginName[] names = [Ada, new("system", "nobody"), new("nowhere", "nobody"), new("system", "eve"), new("system", "off")];
        var best = names.ToDictionary(name => name, _ => TimeSpan.MaxValue);
        for (int round = 0; round < 9; round++)
        {
            foreach (var name in names)
            {
                var clock = System.Diagnostics.Stopwatch.StartNew();
                await identity.Authenticator.VerifyPasswordAsync(name, "wrong password", Token);
                best[name] = clock.Elapsed < best[name] ? clock.Elapsed : best[name];
            }
        }

        // The hash alone takes milliseconds, all else tens of microseconds: who leaves it out is seen.
        Assert.InRange(best.Values.Max() / best.Values.Min(), 1, 2);
    }

    [Fact]
    public async Task Guesses_at_once_do_not_run_ahead_of_their_count()
    {
        await AddAsync();
        var results = await Task.WhenAll(Enumerable.Range(0, 200).Select(i => _identity.Authenticator.VerifyPasswordAsync(Ada, $"wrong password {i}", Token)));
        Assert.Equal(10, results.Count(r => r.Reason == RefusalReason.WrongPassword));
        Assert.DoesNotContain(results, r => r.Outcome is not (AuthenticationOutcome.Refused or AuthenticationOutcome.Busy));
    }

    [Fact]
    public async Task Names_without_end_leave_a_bounded_trace_and_push_out_no_lock()
    {
        var ledger = _identity.Get<FailureLedger>();
        var (policy, key) = (new PasswordPolicy(), "/identity/failures/test/000");
        var victim = new FailurePlace(key, 0, "victim");
        for (int i = 0; i < policy.LockoutThreshold; i++)
            await ledger.AddAsync(victim, policy, Token);
        for (int i = 0; i < 200; i++)
            await ledger.AddAsync(new FailurePlace(key, 0, $"{i}"), policy, Token);
        Assert.NotNull((await ledger.ReadAsync(victim, policy, Token)).LockedUntil);
        Assert.InRange((await _identity.Store.GetAsync(key, Token))!.Value.Length, 1000, 64 * 200);

        _identity.Time.Advance(TimeSpan.FromDays(2));
        await ledger.AddAsync(victim, policy, Token);
        Assert.Equal((null, 1), await ledger.ReadAsync(victim, policy, Token));
        Assert.InRange((await _identity.Store.GetAsync(key, Token))!.Value.Length, 1, 200);
    }

    [Fact]
    public async Task An_administrator_ends_a_lock()
    {
        var ada = await AddAsync();
        for (int i = 0; i < 11; i++)
            await _identity.Authenticator.VerifyPasswordAsync(Ada, "wrong password", Token);
        Assert.Equal(_identity.Time.GetUtcNow().AddMinutes(1), (await _identity.Credentials.GetStatusAsync(ada.Id, Token)).LockedUntil);
        await _identity.Credentials.UnlockAsync(ada.Id, Token);
        Assert.Null((await _identity.Credentials.GetStatusAsync(ada.Id, Token)).LockedUntil);
        Assert.Equal((AuthenticationOutcome.Succeeded, ada.Id), await TryAsync(Ada, Password));
    }

    [Fact]
    public async Task A_password_set_by_somebody_else_is_only_good_for_choosing_another_one()
    {
        var ada = await AddAsync();
        await _identity.Credentials.SetPasswordAsync(ada.Id, Other, mustChange: true, Token);
        Assert.Equal((AuthenticationOutcome.Refused, null), await TryAsync(Ada, Password));
        Assert.Equal((AuthenticationOutcome.PasswordChangeRequired, ada.Id), await TryAsync(Ada, Other));
        var changed = await _identity.Credentials.ChangePasswordAsync(Ada, Other, null, "a third good password", Token);
        Assert.Equal(AuthenticationOutcome.Succeeded, changed.Outcome);
        Assert.Equal((AuthenticationOutcome.Succeeded, ada.Id), await TryAsync(Ada, "a third good password"));
        Assert.Equal((AuthenticationOutcome.Refused, null), await TryAsync(Ada, Other));
    }

    [Fact]
    public async Task Former_passwords_do_not_come_again()
    {
        var ada = await AddAsync();
        await SetPolicyAsync(new PasswordPolicy { HistoryCount = 3 });
        string[] passwords = [Password, .. Enumerable.Range(1, 3).Select(i => $"good password number {i}")];
        for (int i = 1; i < passwords.Length; i++)
        {
            foreach (var former in passwords[Math.Max(0, i - 3)..i])
                Assert.Equal(ErrorCode.InvalidArgument, (await Assert.ThrowsAsync<CandelaException>(() => ChangeAsync(passwords[i - 1], former))).Code);
            Assert.Equal(AuthenticationOutcome.Succeeded, (await ChangeAsync(passwords[i - 1], passwords[i])).Outcome);
        }

        // The first one is beyond the history by now.
        Assert.Equal(AuthenticationOutcome.Succeeded, (await ChangeAsync(passwords[^1], Password)).Outcome);
        Assert.Equal((AuthenticationOutcome.Succeeded, ada.Id), await TryAsync(Ada, Password));
    }

    [Fact]
    public async Task Passwords_expire_where_the_policy_says_so_but_not_those_of_programs()
    {
        var ada = await AddAsync();
        var robot = await _identity.Credentials.CreateAsync(new ServiceAccount { DomainId = _identity.SystemId, Name = "robot" }, Password, mustChange: false, Token);
        await SetPolicyAsync(new PasswordPolicy { MaximumAgeDays = 30 });
        _identity.Time.Advance(TimeSpan.FromDays(31));
        Assert.Equal((AuthenticationOutcome.PasswordChangeRequired, ada.Id), await TryAsync(Ada, Password));
        Assert.Equal((AuthenticationOutcome.Succeeded, robot.Id), await TryAsync(new("system", "robot"), Password));
        await ChangeAsync(Password, Other);
        Assert.Equal((AuthenticationOutcome.Succeeded, ada.Id), await TryAsync(Ada, Other));
    }

    [Theory]
    [InlineData("short")]
    [InlineData("aaaaaaaaaaaaaaaaaaaaa")]
    [InlineData("ada-ada-ada-a")]
    public async Task Weak_passwords_are_refused_and_make_no_account(string password)
    {
        var refused = await Assert.ThrowsAsync<CandelaException>(() =>
            _identity.Credentials.CreateAsync(new User { DomainId = _identity.SystemId, Name = "ada" }, password, mustChange: false, Token));
        Assert.Equal(ErrorCode.InvalidArgument, refused.Code);
        Assert.DoesNotContain(password, refused.Message, StringComparison.Ordinal);
        Assert.Null(_identity.Directory.Current.Find(_identity.SystemId, "ada"));
    }

    [Fact]
    public async Task A_hash_of_another_cost_is_made_anew_at_login()
    {
        var ada = await AddAsync();
        await using var dearer = await IdentityFixture.StartAsync(_identity, new PasswordCost(128, 1, 1));
        Assert.StartsWith("$argon2id$v=19$m=64,", await HashAsync(), StringComparison.Ordinal);
        Assert.Equal(AuthenticationOutcome.Succeeded, (await dearer.Authenticator.VerifyPasswordAsync(Ada, Password, Token)).Outcome);
        Assert.StartsWith("$argon2id$v=19$m=128,", await HashAsync(), StringComparison.Ordinal);
        Assert.Equal(AuthenticationOutcome.Succeeded, (await dearer.Authenticator.VerifyPasswordAsync(Ada, Password, Token)).Outcome);

        async Task<string> HashAsync() => (await _identity.Get<CredentialStore>().ReadAsync(ada.Id, Token)).Document.PasswordHash!;
    }

    [Fact]
    public async Task A_password_verified_a_moment_ago_ends_with_its_change_on_another_controller()
    {
        var ada = await AddAsync();
        await TryAsync(Ada, Password);
        await using var other = await IdentityFixture.StartAsync(_identity);
        await other.Credentials.SetPasswordAsync(ada.Id, Other, mustChange: false, Token);
        Assert.Equal((AuthenticationOutcome.Refused, null), await TryAsync(Ada, Password));
        await other.Credentials.RemovePasswordAsync(ada.Id, Token);
        Assert.Equal((AuthenticationOutcome.Refused, null), await TryAsync(Ada, Other));
    }

    [Fact]
    public async Task A_second_factor_is_asked_for_and_each_code_counts_once()
    {
        var ada = await AddAsync();
        var (secret, recovery) = await EnrolAsync(ada);
        Assert.Equal((AuthenticationOutcome.SecondFactorRequired, ada.Id), await TryAsync(Ada, Password));
        _identity.Time.Advance(TimeSpan.FromSeconds(30));
        var code = Totp.Code(secret, Totp.StepOf(_identity.Time.GetUtcNow()));
        await using var other = await IdentityFixture.StartAsync(_identity);
        var results = await Task.WhenAll(Enumerable.Range(0, 6).Select(i => (i % 2 == 0 ? _identity : other).Authenticator.VerifySecondFactorAsync(ada.Id, code, Token)));
        Assert.Single(results, r => r.Outcome == AuthenticationOutcome.Succeeded);
        Assert.Equal(AuthenticationOutcome.Refused, (await _identity.Authenticator.VerifySecondFactorAsync(ada.Id, "12345", Token)).Outcome);
        Assert.Equal(AuthenticationOutcome.Refused, (await _identity.Authenticator.VerifySecondFactorAsync(ada.Id, new string('1', 10_000), Token)).Outcome);

        Assert.Equal(RecoveryCodes.Count, recovery.Count);
        var spelled = recovery[3].ToLowerInvariant().Replace('-', ' ');
        Assert.Equal(AuthenticationOutcome.Succeeded, (await _identity.Authenticator.VerifySecondFactorAsync(ada.Id, spelled, Token)).Outcome);
        Assert.Equal(AuthenticationOutcome.Refused, (await _identity.Authenticator.VerifySecondFactorAsync(ada.Id, recovery[3], Token)).Outcome);
        Assert.Equal(RecoveryCodes.Count - 1, (await _identity.Credentials.GetStatusAsync(ada.Id, Token)).RecoveryCodeCount);
        await _identity.Credentials.RenewRecoveryCodesAsync(ada.Id, Token);
        Assert.Equal(AuthenticationOutcome.Refused, (await _identity.Authenticator.VerifySecondFactorAsync(ada.Id, recovery[4], Token)).Outcome);
        await _identity.Credentials.RemoveTotpAsync(ada.Id, Token);
        Assert.Equal((AuthenticationOutcome.Succeeded, ada.Id), await TryAsync(Ada, Password));
    }

    [Fact]
    public async Task The_password_alone_gives_no_further_guesses_at_codes()
    {
        var ada = await AddAsync();
        await EnrolAsync(ada);
        for (int i = 0; i < 10; i++)
        {
            Assert.Equal((AuthenticationOutcome.SecondFactorRequired, ada.Id), await TryAsync(Ada, Password));
            Assert.Equal(RefusalReason.WrongCode, (await _identity.Authenticator.VerifySecondFactorAsync(ada.Id, "abcdef", Token)).Reason);
        }

        Assert.Equal(RefusalReason.LockedOut, (await _identity.Authenticator.VerifySecondFactorAsync(ada.Id, "abcdef", Token)).Reason);
        Assert.Equal(RefusalReason.LockedOut, await ReasonAsync(_identity, Password));
    }

    [Fact]
    public async Task A_second_factor_is_needed_to_change_the_password_and_counts_only_once_confirmed()
    {
        var ada = await AddAsync();
        await _identity.Credentials.BeginTotpAsync(ada.Id, Token);
        Assert.Equal((AuthenticationOutcome.Succeeded, ada.Id), await TryAsync(Ada, Password));
        await Assert.ThrowsAsync<CandelaException>(() => _identity.Credentials.ConfirmTotpAsync(ada.Id, "abcdef", Token));
        Assert.Equal((AuthenticationOutcome.Succeeded, ada.Id), await TryAsync(Ada, Password));

        var (secret, _) = await EnrolAsync(ada);
        Assert.Equal(AuthenticationOutcome.SecondFactorRequired, (await ChangeAsync(Password, Other)).Outcome);
        _identity.Time.Advance(TimeSpan.FromSeconds(30));
        var code = Totp.Code(secret, Totp.StepOf(_identity.Time.GetUtcNow()));
        await Assert.ThrowsAsync<CandelaException>(() => _identity.Credentials.ChangePasswordAsync(Ada, Password, code, "weak", Token));
        Assert.Equal(AuthenticationOutcome.Succeeded, (await _identity.Credentials.ChangePasswordAsync(Ada, Password, code, Other, Token)).Outcome);
    }

    [Fact]
    public async Task Credentials_go_with_the_account_and_are_no_plain_text_in_the_store()
    {
        var ada = await AddAsync();
        var (secret, recovery) = await EnrolAsync(ada);
        var page = await _identity.Store.RangeAsync("", null, 1000, Token);
        foreach (var entry in page.Entries)
        {
            var text = System.Text.Encoding.UTF8.GetString(entry.Value.Span);
            Assert.DoesNotContain(Password, text, StringComparison.Ordinal);
            Assert.DoesNotContain(recovery[0], text, StringComparison.Ordinal);
            Assert.DoesNotContain(Convert.ToBase64String(secret), text, StringComparison.Ordinal);
            Assert.DoesNotContain(Base32.Encode(secret), text, StringComparison.Ordinal);
        }

        await _identity.Directory.DeleteAsync(ada.Id, null, Token);
        Assert.Null(await _identity.Store.GetAsync($"/identity/credentials/{ada.Id}", Token));
        await Assert.ThrowsAsync<CandelaException>(() => _identity.Credentials.SetPasswordAsync(ada.Id, Other, mustChange: false, Token));
    }

    private Task<User> AddAsync() =>
        _identity.Credentials.CreateAsync(new User { DomainId = _identity.SystemId, Name = "ada" }, Password, mustChange: false, Token);

    private async Task<(AuthenticationOutcome, Guid?)> TryAsync(LoginName login, string password)
    {
        var result = await _identity.Authenticator.VerifyPasswordAsync(login, password, Token);
        return (result.Outcome, result.Account?.Id);
    }

    private static async Task<RefusalReason> ReasonAsync(IdentityFixture identity, string password) =>
        (await identity.Authenticator.VerifyPasswordAsync(Ada, password, Token)).Reason;

    private Task<AuthenticationResult> ChangeAsync(string password, string newPassword) =>
        _identity.Credentials.ChangePasswordAsync(Ada, password, null, newPassword, Token);

    private Task<Domain> SetPolicyAsync(PasswordPolicy policy) =>
        _identity.Directory.UpdateDomainAsync(_identity.Directory.Current.SystemDomain with { PasswordPolicy = policy }, Token);

    private async Task<(byte[] Secret, IReadOnlyList<string> Recovery)> EnrolAsync(User user)
    {
        var enrolment = await _identity.Credentials.BeginTotpAsync(user.Id, Token);
        var (document, _) = await _identity.Get<CredentialStore>().ReadAsync(user.Id, Token);
        var secret = _identity.Get<ISecretBox>().Open(document.SealedNewTotpSecret, $"/identity/credentials/{user.Id}");
        Assert.Equal(Base32.Encode(secret), enrolment.Secret);
        var recovery = await _identity.Credentials.ConfirmTotpAsync(user.Id, Totp.Code(secret, Totp.StepOf(_identity.Time.GetUtcNow())), Token);
        return (secret, recovery);
    }
}
