using Candela.Identity.Authentication;
using Candela.Identity.Authorization;

namespace Candela.Identity.Tests.Authentication;

public sealed class InitialAdministratorTests : IAsyncLifetime
{
    private static readonly LoginName Admin = new("system", "admin");

    private IdentityFixture _identity = null!;

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    private string PasswordPath => Path.Combine(_identity.Folder, "initial-admin-password");

    public async ValueTask InitializeAsync() => _identity = await IdentityFixture.StartAsync();

    public ValueTask DisposeAsync() => _identity.DisposeAsync();

    [Fact]
    public async Task The_password_is_for_its_owner_only_and_only_good_for_another_one()
    {
        Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(PasswordPath));
        Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute, File.GetUnixFileMode(_identity.Folder));
        var password = (await File.ReadAllTextAsync(PasswordPath, Token)).TrimEnd('\n');
        Assert.Equal(24, password.Count(c => c != '-'));
        var result = await _identity.Authenticator.VerifyPasswordAsync(Admin, password, Token);
        Assert.Equal(AuthenticationOutcome.PasswordChangeRequired, result.Outcome);
        var decision = await _identity.Get<IAuthorizer>().DecideAsync(Subject.Entry(result.Account!.Id), new Permission(ResourceKind.System, Verb.Update), ResourceScope.System, Token);
        Assert.True(decision.Allowed);

        await _identity.Credentials.ChangePasswordAsync(Admin, password, null, "a password of my own", Token);
        Assert.False(File.Exists(PasswordPath));
        Assert.Equal(AuthenticationOutcome.Succeeded, (await _identity.Authenticator.VerifyPasswordAsync(Admin, "a password of my own", Token)).Outcome);
        Assert.Equal(AuthenticationOutcome.Refused, (await _identity.Authenticator.VerifyPasswordAsync(Admin, password, Token)).Outcome);
    }

    [Fact]
    public async Task It_is_made_once_even_when_it_is_removed()
    {
        var password = await File.ReadAllTextAsync(PasswordPath, Token);
        await using (await IdentityFixture.StartAsync(_identity))
            Assert.Equal(password, await File.ReadAllTextAsync(PasswordPath, Token));
        var admin = _identity.Directory.Current.Find(_identity.SystemId, "admin")!;
        await _identity.Directory.DeleteAsync(admin.Id, null, Token);
        await using var again = await IdentityFixture.StartAsync(_identity);
        Assert.Null(again.Directory.Current.Find(_identity.SystemId, "admin"));
    }

    [Fact]
    public async Task Whenever_the_first_start_is_cut_off_the_next_one_makes_an_administrator_that_can_sign_in()
    {
        for (int commits = 0; ; commits++)
        {
            using var folder = new Candela.Tests.Shared.TemporaryFolder();
            await using var store = State.Sqlite.SqliteStateStore.Open(folder.File("state.db"), TimeProvider.System);
            await using var faulty = new FaultyStateStore(store);
            faulty.FailAfter(commits);
            bool whole = true;
            try
            {
                await (await IdentityFixture.StartAsync(folder.Path, faulty)).DisposeAsync();
            }
            catch (State.StateStoreException)
            {
                whole = false;
            }

            await using (var identity = await IdentityFixture.StartAsync(folder.Path, store))
            {
                var password = (await File.ReadAllTextAsync(Path.Combine(identity.Folder, "initial-admin-password"), Token)).TrimEnd('\n');
                Assert.Equal(AuthenticationOutcome.PasswordChangeRequired, (await identity.Authenticator.VerifyPasswordAsync(Admin, password, Token)).Outcome);
                Assert.Single(identity.Get<IAccessPolicy>().Current.Bindings);
            }

            if (whole)
            {
                Assert.InRange(commits, 2, 10);
                return;
            }
        }
    }
}
