using Candela.Identity.Accounts;
using Candela.Model;

namespace Candela.Identity.Tests.Accounts;

public sealed class DirectoryTests : IAsyncLifetime
{
    private IdentityFixture _identity = null!;

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    private IDirectory Directory => _identity.Directory;

    public async ValueTask InitializeAsync() => _identity = await IdentityFixture.StartAsync();

    public ValueTask DisposeAsync() => _identity.DisposeAsync();

    [Fact]
    public async Task A_user_is_found_by_id_and_by_name_in_any_case()
    {
        var ada = await Directory.CreateAsync(
            new User { DomainId = _identity.SystemId, Name = "Ada", GivenName = "Ada", Surname = "Lovelace", Mail = "ada@example.org", Telephone = "+44 20" }, Token);

        var found = Assert.IsType<User>(Directory.Current.Get(ada.Id));
        Assert.Equal(ada.Id, Directory.Current.Find(_identity.SystemId, "aDA")?.Id);
        Assert.Equal(ada.Revision, found.Revision);
        Assert.Equal(("Ada", "Lovelace", "ada@example.org", "+44 20"), (found.GivenName, found.Surname, found.Mail, found.Telephone));
        Assert.Equal(_identity.Time.GetUtcNow(), found.CreatedAt);
        Assert.InRange(found.Posix!.UidNumber, AccountLimits.PosixNumberFirst, AccountLimits.PosixNumberMaximum);
        Assert.Equal(found.Posix.UidNumber, found.Posix.GidNumber);
        Assert.Equal("/home/ada", found.Posix.HomeDirectory);
        Assert.True(found.Enabled);
    }

    [Fact]
    public async Task A_name_is_taken_once_in_a_domain_whatever_the_kind_and_the_case()
    {
        await _identity.AddUserAsync("ada");
        var refused = await Assert.ThrowsAsync<CandelaException>(() => _identity.AddGroupAsync("ADA"));
        Assert.Equal(ErrorCode.AlreadyExists, refused.Code);

        var tenant = await Directory.CreateDomainAsync(new Domain { Name = "acme", Tenant = "acme" }, Token);
        await Directory.CreateAsync(new User { DomainId = tenant.Id, Name = "ada" }, Token);
    }

    [Theory]
    [InlineData("")]
    [InlineData("-rf")]
    [InlineData(".")]
    [InlineData("a b")]
    [InlineData("a/b")]
    [InlineData("ada@system")]
    [InlineData("аda")] // a Cyrillic letter
    [InlineData("a\0")]
    public async Task Names_that_mislead_are_refused(string name)
    {
        var refused = await Assert.ThrowsAsync<CandelaException>(() => _identity.AddUserAsync(name));
        Assert.Equal(ErrorCode.InvalidArgument, refused.Code);
    }

    [Fact]
    public async Task Of_two_changes_from_one_revision_the_second_is_refused()
    {
        var ada = await _identity.AddUserAsync("ada");
        var changed = await Directory.UpdateAsync(ada with { Mail = "ada@example.org" }, Token);
        var refused = await Assert.ThrowsAsync<CandelaException>(() => Directory.UpdateAsync(ada with { Mail = "eve@example.org" }, Token));
        Assert.Equal(ErrorCode.Conflict, refused.Code);
        Assert.Equal("ada@example.org", Directory.Current.Get<User>(ada.Id)!.Mail);
        await Directory.UpdateAsync(changed with { Mail = null }, Token);
    }

    [Fact]
    public async Task Renaming_keeps_the_id_and_the_memberships_and_frees_the_name()
    {
        var ada = await _identity.AddUserAsync("ada");
        var group = await _identity.AddGroupAsync("engineers");
        await Directory.AddMemberAsync(group.Id, ada.Id, Token);
        await Directory.UpdateAsync(ada with { Name = "augusta" }, Token);

        Assert.Null(Directory.Current.Find(_identity.SystemId, "ada"));
        Assert.Equal(ada.Id, Directory.Current.Find(_identity.SystemId, "augusta")!.Id);
        Assert.True(Directory.Current.IsMember(group.Id, ada.Id));
        Assert.NotEqual(ada.Id, (await _identity.AddUserAsync("ada")).Id);
    }

    [Fact]
    public async Task A_rename_in_case_only_is_possible_and_a_taken_name_is_not()
    {
        var ada = await _identity.AddUserAsync("ada");
        await _identity.AddUserAsync("eve");
        ada = await Directory.UpdateAsync(ada with { Name = "Ada" }, Token);
        var refused = await Assert.ThrowsAsync<CandelaException>(() => Directory.UpdateAsync(ada with { Name = "EVE" }, Token));
        Assert.Equal(ErrorCode.AlreadyExists, refused.Code);
        Assert.Equal("Ada", Directory.Current.Get(ada.Id)!.Name);
    }

    [Fact]
    public async Task Pages_go_through_all_names_in_order()
    {
        string[] names = [.. Enumerable.Range(0, 25).Select(i => $"{(i % 2 == 0 ? "u" : "U")}{i:D2}")];
        foreach (var name in names.Reverse())
            await _identity.AddUserAsync(name);
        await _identity.AddGroupAsync("u05a");

        var seen = new List<string>();
        string? after = null;
        while (Directory.Current.List(_identity.SystemId, EntryKind.User, after, 10) is { Count: > 0 } page)
        {
            seen.AddRange(page.Select(e => e.Name));
            after = page[^1].Name;
        }

        Assert.Equal(["admin", .. names], seen);
        Assert.Equal(26, Directory.Current.Count(_identity.SystemId, EntryKind.User));
        Assert.Equal("U11", Directory.Current.List(_identity.SystemId, EntryKind.User, "u10zzz", 1)[0].Name);
    }

    [Fact]
    public async Task Groups_in_groups_confer_membership_and_never_form_a_circle()
    {
        var ada = await _identity.AddUserAsync("ada");
        var (inner, middle, outer) = (await _identity.AddGroupAsync("inner"), await _identity.AddGroupAsync("middle"), await _identity.AddGroupAsync("outer"));
        Assert.True(await Directory.AddMemberAsync(inner.Id, ada.Id, Token));
        Assert.False(await Directory.AddMemberAsync(inner.Id, ada.Id, Token));
        await Directory.AddMemberAsync(middle.Id, inner.Id, Token);
        await Directory.AddMemberAsync(outer.Id, middle.Id, Token);

        Assert.Equal(new HashSet<Guid> { inner.Id, middle.Id, outer.Id }, Directory.Current.EffectiveGroups(ada.Id));
        Assert.Equal([ada.Id], Directory.Current.EffectiveMembers(outer.Id));
        foreach (var group in new[] { inner, middle, outer })
        {
            var refused = await Assert.ThrowsAsync<CandelaException>(() => Directory.AddMemberAsync(inner.Id, group.Id, Token));
            Assert.Equal(ErrorCode.InvalidArgument, refused.Code);
        }

        await Directory.UpdateAsync(middle with { Enabled = false }, Token);
        Assert.Equal([inner.Id], Directory.Current.EffectiveGroups(ada.Id));
        Assert.Empty(Directory.Current.EffectiveMembers(outer.Id));
        Assert.True(await Directory.RemoveMemberAsync(inner.Id, ada.Id, Token));
        Assert.False(await Directory.RemoveMemberAsync(inner.Id, ada.Id, Token));
        Assert.Empty(Directory.Current.EffectiveGroups(ada.Id));
    }

    [Fact]
    public async Task Two_controllers_that_nest_at_once_make_no_circle()
    {
        await using var other = await IdentityFixture.StartAsync(_identity);
        for (int i = 0; i < 20; i++)
        {
            var (a, b) = (await _identity.AddGroupAsync($"a{i}"), await _identity.AddGroupAsync($"b{i}"));
            var outcomes = await Task.WhenAll(Tried(Directory, a.Id, b.Id), Tried(other.Directory, b.Id, a.Id));
            Assert.Single(outcomes, true);
        }

        static async Task<bool> Tried(IDirectory directory, Guid group, Guid member)
        {
            // The second controller may not have heard of the groups yet.
            while (directory.Current.Get(group) is null || directory.Current.Get(member) is null)
                await Task.Yield();
            try
            {
                return await directory.AddMemberAsync(group, member, Token);
            }
            catch (CandelaException e) when (e.Code == ErrorCode.InvalidArgument)
            {
                return false;
            }
        }
    }

    [Fact]
    public async Task Nesting_has_a_limit()
    {
        var last = await _identity.AddGroupAsync("g0");
        for (int i = 1; i < AccountLimits.NestingDepth; i++)
        {
            var next = await _identity.AddGroupAsync($"g{i}");
            await Directory.AddMemberAsync(next.Id, last.Id, Token);
            last = next;
        }

        var tooMany = await _identity.AddGroupAsync("top");
        var refused = await Assert.ThrowsAsync<CandelaException>(() => Directory.AddMemberAsync(tooMany.Id, last.Id, Token));
        Assert.Equal(ErrorCode.InvalidArgument, refused.Code);
    }

    [Fact]
    public async Task Members_are_of_the_groups_own_domain()
    {
        var tenant = await Directory.CreateDomainAsync(new Domain { Name = "acme", Tenant = "acme" }, Token);
        var eve = await Directory.CreateAsync(new User { DomainId = tenant.Id, Name = "eve" }, Token);
        var group = await _identity.AddGroupAsync("operators");
        var refused = await Assert.ThrowsAsync<CandelaException>(() => Directory.AddMemberAsync(group.Id, eve.Id, Token));
        Assert.Equal(ErrorCode.InvalidArgument, refused.Code);
    }

    [Fact]
    public async Task Removing_leaves_nothing_behind()
    {
        var before = await KeysAsync();
        var ada = await _identity.AddUserAsync("ada");
        var group = await _identity.AddGroupAsync("engineers");
        await Directory.AddMemberAsync(group.Id, ada.Id, Token);
        await Directory.DeleteAsync(ada.Id, ada.Revision, Token);
        Assert.Empty(Directory.Current.MembersOf(group.Id));
        await Directory.DeleteAsync(group.Id, null, Token);
        Assert.Equal(before, await KeysAsync());
        Assert.Equal(ErrorCode.NotFound, (await Assert.ThrowsAsync<CandelaException>(() => Directory.DeleteAsync(ada.Id, null, Token))).Code);
    }

    [Fact]
    public async Task A_group_with_more_members_than_a_transaction_holds_can_be_removed()
    {
        var group = await _identity.AddGroupAsync("everybody");
        var users = await Task.WhenAll(Enumerable.Range(0, 4200).Select(i => _identity.AddUserAsync($"u{i}")));
        await Task.WhenAll(users.Select(u => Directory.AddMemberAsync(group.Id, u.Id, Token)));
        Assert.Equal(4200, Directory.Current.MembersOf(group.Id).Count);
        await Directory.DeleteAsync(group.Id, null, Token);
        Assert.DoesNotContain(await KeysAsync(), key => key.StartsWith("/identity/directory/members/", StringComparison.Ordinal));
        Assert.Equal(4200, users.Select(u => u.Posix!.UidNumber).Distinct().Count());
    }

    [Fact]
    public async Task A_domain_goes_only_when_it_is_empty()
    {
        var tenant = await Directory.CreateDomainAsync(new Domain { Name = "acme", Tenant = "acme" }, Token);
        var eve = await Directory.CreateAsync(new User { DomainId = tenant.Id, Name = "eve" }, Token);
        Assert.Equal(ErrorCode.Conflict, (await Assert.ThrowsAsync<CandelaException>(() => Directory.DeleteDomainAsync(tenant.Id, Token))).Code);
        await Directory.DeleteAsync(eve.Id, null, Token);
        await Directory.DeleteDomainAsync(tenant.Id, Token);
        Assert.Null(Directory.Current.FindDomainOfTenant("acme"));
        Assert.Equal(ErrorCode.Conflict, (await Assert.ThrowsAsync<CandelaException>(() => Directory.DeleteDomainAsync(_identity.SystemId, Token))).Code);
        await Directory.CreateDomainAsync(new Domain { Name = "acme", Tenant = "acme" }, Token);
    }

    [Fact]
    public async Task Another_controller_sees_changes_and_a_restart_finds_them()
    {
        var ada = await _identity.AddUserAsync("ada");
        var group = await _identity.AddGroupAsync("engineers");
        await using var other = await IdentityFixture.StartAsync(_identity);
        Assert.Equal(ada.Revision, other.Directory.Current.Get(ada.Id)!.Revision);

        await Directory.AddMemberAsync(group.Id, ada.Id, Token);
        await foreach (var change in other.Directory.WatchAsync(ada.Revision, Token))
        {
            if (change is MembershipChanged { IsMember: true } membership)
            {
                Assert.Equal((group.Id, ada.Id), (membership.GroupId, membership.MemberId));
                break;
            }
        }

        await using var third = await IdentityFixture.StartAsync(_identity);
        Assert.True(third.Directory.Current.IsMember(group.Id, ada.Id));
    }

    [Fact]
    public async Task Unix_numbers_given_are_unique_in_the_domain()
    {
        await Directory.CreateAsync(new User { DomainId = _identity.SystemId, Name = "ada", Posix = new PosixAccount { UidNumber = 5000 } }, Token);
        var refused = await Assert.ThrowsAsync<CandelaException>(() =>
            Directory.CreateAsync(new User { DomainId = _identity.SystemId, Name = "eve", Posix = new PosixAccount { UidNumber = 5000 } }, Token));
        Assert.Equal(ErrorCode.AlreadyExists, refused.Code);
        Assert.Contains("5000", refused.Message, StringComparison.Ordinal);
        refused = await Assert.ThrowsAsync<CandelaException>(() =>
            Directory.CreateAsync(new User { DomainId = _identity.SystemId, Name = "root", Posix = new PosixAccount { UidNumber = 1 } }, Token));
        Assert.Equal(ErrorCode.InvalidArgument, refused.Code);
    }

    private async Task<string[]> KeysAsync()
    {
        var keys = new List<string>();
        string? after = null;
        do
        {
            var page = await _identity.Store.RangeAsync("/identity/", after, 1000, Token);
            keys.AddRange(page.Entries.Select(e => e.Key));
            after = page.Next;
        }
        while (after is not null);
        return [.. keys];
    }
}
