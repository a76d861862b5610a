using Candela.Identity.Authentication;
using Candela.Identity.Authorization;

namespace Candela.Identity.Tests.Ldap;

/// <summary>Changes by ldapadd, ldapmodify, ldapmodrdn, ldapdelete, ldappasswd, ldapcompare and ldapwhoami.</summary>
public sealed class WriteTests : LdapBench
{
    public override async ValueTask InitializeAsync()
    {
        await base.InitializeAsync();
        await AddAdministratorAsync("root");
        await AddUserAsync("ada");
        await AddUserAsync("bob");
    }

    [Fact]
    public async Task Ldapadd_makes_users_groups_and_service_accounts()
    {
        await AddAsync("""
            dn: uid=grace,ou=people,dc=system
            objectClass: inetOrgPerson
            objectClass: posixAccount
            objectClass: ldapPublicKey
            uid: grace
            cn: Grace Hopper
            cn: Amazing Grace
            sn: Hopper
            givenName: Grace
            mail: grace@example.org
            mail: hopper@example.org
            title: Admiral
            uidNumber: 4711
            gidNumber: 4711
            homeDirectory: /home/amazing
            loginShell: /bin/zsh
            sshPublicKey: ssh-ed25519 AAAA grace

            dn: cn=navy,ou=groups,dc=system
            objectClass: groupOfNames
            objectClass: posixGroup
            cn: navy
            gidNumber: 4712
            member: uid=grace,ou=people,dc=system
            memberUid: ada

            dn: uid=ci,ou=services,dc=system
            objectClass: account
            objectClass: simpleSecurityObject
            uid: ci
            userPassword: a long password of ci
            """);

        Assert.Equal(
            """
            dn: uid=grace,ou=people,dc=system
            objectClass: top
            objectClass: person
            objectClass: organizationalPerson
            objectClass: inetOrgPerson
            objectClass: posixAccount
            objectClass: ldapPublicKey
            uid: grace
            cn: Grace Hopper
            cn: Amazing Grace
            sn: Hopper
            givenName: Grace
            mail: grace@example.org
            mail: hopper@example.org
            uidNumber: 4711
            gidNumber: 4711
            homeDirectory: /home/amazing
            loginShell: /bin/zsh
            sshPublicKey: ssh-ed25519 AAAA grace
            title: Admiral


            """,
            await SearchAsync("root", "-b", "dc=system", "(mail=HOPPER@example.org)"));
        Assert.Equal(
            "dn: cn=navy,ou=groups,dc=system\nmember: uid=ada,ou=people,dc=system\nmember: uid=grace,ou=people,dc=system\nmemberUid: ada\nmemberUid: grace\n",
            Sorted(await SearchAsync("root", "-b", "dc=system", "(cn=navy)", "member", "memberUid")));
        var login = await Identity.Authenticator.VerifyPasswordAsync(new LoginName("system", "ci"), "a long password of ci", Token);
        Assert.Equal(AuthenticationOutcome.Succeeded, login.Outcome);
    }

    [Fact]
    public async Task Ldapmodify_adds_replaces_increments_and_deletes_values()
    {
        await ModifyAsync("""
            dn: uid=ada,ou=people,dc=system
            changetype: modify
            add: title
            title: Countess
            title: Analyst
            -
            replace: givenName
            givenName: Augusta
            -
            replace: sn
            sn: King
            -
            increment: uidNumber
            uidNumber: 5
            -
            add: description
            description;lang-de: Rechnerin
            """.Replace("add: description\n", "add: description;lang-de\n", StringComparison.Ordinal));
        Assert.Equal(
            "dn: uid=ada,ou=people,dc=system\ncn: Augusta King\nsn: King\nuidNumber: 10000007\ndescription;lang-de: Rechnerin\ntitle: Countess\ntitle: Analyst\n\n",
            await SearchAsync("root", "-b", NameOf("ada"), "cn", "sn", "uidNumber", "title", "description"));

        await ModifyAsync("""
            dn: uid=ada,ou=people,dc=system
            changetype: modify
            delete: title
            title: ANALYST
            -
            delete: givenName
            -
            replace: cn
            cn: Ada
            """);
        Assert.Equal(
            "dn: uid=ada,ou=people,dc=system\ncn: Ada\nsn: King\ntitle: Countess\n\n", await SearchAsync("root", "-b", NameOf("ada"), "cn", "sn", "givenName", "title"));
    }

    [Fact]
    public async Task Membership_is_changed_all_or_nothing()
    {
        await AddAsync("dn: cn=all,ou=groups,dc=system\nobjectClass: groupOfNames\ncn: all\nmember: uid=ada,ou=people,dc=system\n");

        await ModifyAsync("dn: cn=all,ou=groups,dc=system\nchangetype: modify\nadd: memberUid\nmemberUid: bob\n-\ndelete: member\nmember: uid=ada,ou=people,dc=system\n");
        Assert.Equal("dn: cn=all,ou=groups,dc=system\nmemberUid: bob\n\n", await SearchAsync("root", "-b", "dc=system", "(cn=all)", "memberUid"));
        Assert.Equal("dn: uid=bob,ou=people,dc=system\nmemberOf: cn=all,ou=groups,dc=system\n\n", await SearchAsync("root", "-b", "dc=system", "(memberOf=CN=all, OU=groups, DC=system)", "memberOf"));

        var refused = await TryModifyAsync("""
            dn: cn=all,ou=groups,dc=system
            changetype: modify
            replace: description
            description: everybody
            -
            add: member
            member: uid=ada,ou=people,dc=system
            member: uid=nobody,ou=people,dc=system
            """);
        Assert.Equal(19, refused.ExitCode);
        Assert.Equal("dn: cn=all,ou=groups,dc=system\nmemberUid: bob\n\n", await SearchAsync("root", "-b", "dc=system", "(cn=all)", "memberUid", "description"));

        // A group in a group, by both of its names; a circle is refused.
        await AddAsync("dn: cn=more,ou=groups,dc=system\nobjectClass: groupOfNames\ncn: more\nmember: cn=all,ou=groups,dc=system\n");
        Assert.Equal(
            "dn: cn=all,ou=groups,dc=system\n\ndn: cn=more,ou=groups,dc=system\n\n", await SearchAsync("root", "-b", "ou=groups,dc=system", "(memberUid=bob)", "1.1"));
        Assert.Equal(
            "dn: uid=bob,ou=people,dc=system\n\ndn: cn=all,ou=groups,dc=system\n\n",
            await SearchAsync("root", "-b", "dc=system", "(memberOf:1.2.840.113556.1.4.1941:=cn=more,ou=groups,dc=system)", "1.1"));
        Assert.Equal(19, (await TryModifyAsync("dn: cn=all,ou=groups,dc=system\nchangetype: modify\nadd: member\nmember: cn=more,ou=groups,dc=system\n")).ExitCode);
    }

    [Fact]
    public async Task Ldapmodrdn_renames_and_ldapdelete_removes()
    {
        var id = Identity.Directory.Current.Find(Identity.SystemId, "bob")!.Id;
        await RunAsync("ldapmodrdn", "root", "-r", NameOf("bob"), "uid=robert");
        Assert.Equal(id, Identity.Directory.Current.Find(Identity.SystemId, "robert")!.Id);
        Assert.Equal(53, (await TryAsync("ldapmodrdn", "root", NameOf("robert"), "uid=rob")).ExitCode);
        Assert.Equal(64, (await TryAsync("ldapmodrdn", "root", "-r", NameOf("robert"), "cn=rob")).ExitCode);
        Assert.Equal(68, (await TryAsync("ldapmodrdn", "root", "-r", NameOf("robert"), "uid=ada")).ExitCode);
        Assert.Equal(53, (await TryAsync("ldapmodrdn", "root", "-r", "-s", "ou=services,dc=system", NameOf("robert"), "uid=rob")).ExitCode);

        await RunAsync("ldapdelete", "root", NameOf("robert"));
        Assert.Null(Identity.Directory.Current.Get(id));
        Assert.Equal(32, (await TryAsync("ldapdelete", "root", NameOf("robert"))).ExitCode);
        Assert.Equal(53, (await TryAsync("ldapdelete", "root", "ou=people,dc=system")).ExitCode);
    }

    [Fact]
    public async Task Ldappasswd_changes_ones_own_password_by_the_present_one()
    {
        await RunAsync("ldappasswd", "ada", "-a", Password, "-s", "another good password");
        Assert.Equal(49, (await TryAsync("ldapwhoami", "ada")).ExitCode);
        Assert.Equal("dn:uid=ada,ou=people,dc=system\n", await WhoAmIAsync("ada", "another good password"));

        // Nobody need be bound for it, since the present password is what counts.
        await RunAsync("ldappasswd", null, "-a", "another good password", "-s", "a third good password", NameOf("ada"));
        Assert.Equal("dn:uid=ada,ou=people,dc=system\n", await WhoAmIAsync("ada", "a third good password"));
        Assert.Contains("(49)", (await TryAsync("ldappasswd", null, "-a", "wrong", "-s", "a fourth good password", NameOf("ada"))).Output, StringComparison.Ordinal);
        Assert.Contains("(49)", (await TryAsync("ldappasswd", null, "-a", "wrong", "-s", "a fourth good password", NameOf("nobody"))).Output, StringComparison.Ordinal);
        Assert.Contains("(19)", (await TryAsync("ldappasswd", null, "-a", "a third good password", "-s", "short", NameOf("ada"))).Output, StringComparison.Ordinal);
        Assert.Contains("(53)", (await TryAsync("ldappasswd", "bob", "-s", "without the present one")).Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Ldappasswd_sets_anothers_password_which_must_be_changed_then()
    {
        Assert.Contains("(50)", (await TryAsync("ldappasswd", "bob", "-s", "chosen by somebody", NameOf("ada"))).Output, StringComparison.Ordinal);
        var output = await RunAsync("ldappasswd", "root", NameOf("ada"));
        var made = output.Split("New password: ")[1].Trim();

        // Good for nothing but choosing another one; clients that know of it are let in for that.
        Assert.Equal(49, (await TryAsync("ldapwhoami", null, "-D", NameOf("ada"), "-w", made)).ExitCode);
        var (exitCode, whoami) = await TryAsync("ldapwhoami", null, "-e", "ppolicy", "-v", "-D", NameOf("ada"), "-w", made);
        Assert.Equal(0, exitCode);
        Assert.Contains("Password must be changed", whoami, StringComparison.Ordinal);
        Assert.Equal(50, (await TryAsync("ldapsearch", null, "-e", "ppolicy", "-D", NameOf("ada"), "-w", made, "-b", "dc=system")).ExitCode);
        await RunAsync("ldappasswd", null, "-e", "ppolicy", "-D", NameOf("ada"), "-w", made, "-a", made, "-s", "chosen by ada herself");
        Assert.Equal("dn:uid=ada,ou=people,dc=system\n", await WhoAmIAsync("ada", "chosen by ada herself"));
    }

    [Fact]
    public async Task Passwords_can_be_changed_by_modifying_them()
    {
        await ModifyAsync($"dn: uid=ada,ou=people,dc=system\nchangetype: modify\ndelete: userPassword\nuserPassword: {Password}\n-\nadd: userPassword\nuserPassword: another good password\n", "ada");
        Assert.Equal("dn:uid=ada,ou=people,dc=system\n", await WhoAmIAsync("ada", "another good password"));
        await ModifyAsync("dn: uid=bob,ou=people,dc=system\nchangetype: modify\nreplace: userPassword\nuserPassword: set by an administrator\n");
        var result = await Identity.Authenticator.VerifyPasswordAsync(new LoginName("system", "bob"), "set by an administrator", Token);
        Assert.Equal(AuthenticationOutcome.PasswordChangeRequired, result.Outcome);
        Assert.Equal(19, (await TryModifyAsync("dn: uid=bob,ou=people,dc=system\nchangetype: modify\nreplace: userPassword\nuserPassword: {SSHA}abcdefghijklmnop\n")).ExitCode);
    }

    [Fact]
    public async Task Disabling_an_account_shuts_it_out_at_once()
    {
        await ModifyAsync("dn: uid=bob,ou=people,dc=system\nchangetype: modify\nadd: pwdAccountLockedTime\npwdAccountLockedTime: 000001010000Z\n");
        Assert.Equal(49, (await TryAsync("ldapwhoami", "bob")).ExitCode);
        Assert.Equal("", await SearchAsync("ada", "-b", "dc=system", "(uid=bob)", "1.1"));
        await ModifyAsync("dn: uid=bob,ou=people,dc=system\nchangetype: modify\ndelete: pwdAccountLockedTime\n");
        Assert.Equal("dn:uid=bob,ou=people,dc=system\n", await RunAsync("ldapwhoami", "bob"));
    }

    [Theory]
    [InlineData(17, "dn: uid=ada,ou=people,dc=system\nchangetype: modify\nadd: favouriteDrink\nfavouriteDrink: tea\n")]
    [InlineData(65, "dn: uid=ada,ou=people,dc=system\nchangetype: modify\nadd: member\nmember: uid=bob,ou=people,dc=system\n")]
    [InlineData(19, "dn: uid=ada,ou=people,dc=system\nchangetype: modify\nreplace: entryUUID\nentryUUID: 00000000-0000-0000-0000-000000000001\n")]
    [InlineData(19, "dn: uid=ada,ou=people,dc=system\nchangetype: modify\nadd: memberOf\nmemberOf: cn=all,ou=groups,dc=system\n")]
    [InlineData(67, "dn: uid=ada,ou=people,dc=system\nchangetype: modify\nreplace: uid\nuid: eve\n")]
    [InlineData(65, "dn: uid=ada,ou=people,dc=system\nchangetype: modify\ndelete: sn\n")]
    [InlineData(16, "dn: uid=ada,ou=people,dc=system\nchangetype: modify\ndelete: title\n")]
    [InlineData(20, "dn: uid=ada,ou=people,dc=system\nchangetype: modify\nadd: sn\nsn: ADA\n")]
    [InlineData(19, "dn: uid=ada,ou=people,dc=system\nchangetype: modify\nadd: displayName\ndisplayName: a\ndisplayName: b\n")]
    [InlineData(21, "dn: uid=ada,ou=people,dc=system\nchangetype: modify\nreplace: uidNumber\nuidNumber: many\n")]
    [InlineData(21, "dn: uid=ada,ou=people,dc=system\nchangetype: modify\nreplace: manager\nmanager: nobody\n")]
    [InlineData(21, "dn: uid=ada,ou=people,dc=system\nchangetype: modify\nadd: title\ntitle:: /w==\n")]
    [InlineData(19, "dn: uid=ada,ou=people,dc=system\nchangetype: modify\nreplace: uidNumber\nuidNumber: 0\n-\nreplace: mail\nmail: nonsense\n")]
    [InlineData(69, "dn: uid=ada,ou=people,dc=system\nchangetype: modify\ndelete: objectClass\nobjectClass: posixAccount\n")]
    [InlineData(65, "dn: uid=ada,ou=people,dc=system\nchangetype: modify\nadd: objectClass\nobjectClass: groupOfNames\n")]
    [InlineData(32, "dn: uid=nobody,ou=people,dc=system\nchangetype: modify\nreplace: sn\nsn: x\n")]
    [InlineData(34, "dn: nonsense\nchangetype: modify\nreplace: sn\nsn: x\n")]
    [InlineData(53, "dn: dc=system\nchangetype: modify\nreplace: description\ndescription: x\n")]
    [InlineData(32, "dn: uid=x,ou=elsewhere,dc=system\nchangetype: add\nobjectClass: inetOrgPerson\nsn: x\ncn: x\n")]
    [InlineData(53, "dn: ou=elsewhere,dc=system\nchangetype: add\nobjectClass: organizationalUnit\n")]
    [InlineData(64, "dn: cn=x,ou=people,dc=system\nchangetype: add\nobjectClass: inetOrgPerson\nsn: x\ncn: x\n")]
    [InlineData(64, "dn: uid=x,ou=people,dc=system\nchangetype: add\nobjectClass: inetOrgPerson\nuid: y\nsn: x\ncn: x\n")]
    [InlineData(65, "dn: uid=x,ou=people,dc=system\nchangetype: add\nobjectClass: groupOfNames\nsn: x\ncn: x\n")]
    [InlineData(65, "dn: uid=x,ou=people,dc=system\nchangetype: add\nobjectClass: somethingElse\nsn: x\ncn: x\n")]
    [InlineData(68, "dn: uid=ada,ou=people,dc=system\nchangetype: add\nobjectClass: inetOrgPerson\nsn: x\ncn: x\n")]
    [InlineData(68, "dn: uid=ada,ou=services,dc=system\nchangetype: add\nobjectClass: account\n")]
    [InlineData(19, "dn: uid=x,ou=people,dc=system\nchangetype: add\nobjectClass: inetOrgPerson\nsn: x\ncn: x\nuidNumber: 10000001\n")]
    [InlineData(19, "dn: uid=x y,ou=people,dc=system\nchangetype: add\nobjectClass: inetOrgPerson\nsn: x\ncn: x\n")]
    public async Task What_cannot_be_done_is_refused_for_its_reason(int code, string ldif)
    {
        var (exitCode, output) = await TryModifyAsync(ldif);
        Assert.True(code == exitCode, $"expected {code}, not {exitCode}: {output}");
    }

    [Theory]
    [InlineData("dn: uid=ada,ou=people,dc=system\nchangetype: modify\nreplace: title\ntitle: queen\n")]
    [InlineData("dn: uid=bob,ou=people,dc=system\nchangetype: modify\nreplace: title\ntitle: king\n")]
    [InlineData("dn: uid=bob,ou=people,dc=system\nchangetype: modify\nreplace: uidNumber\nuidNumber: 10000000\n")]
    [InlineData("dn: uid=bob,ou=people,dc=system\nchangetype: modify\nadd: favouriteDrink\nfavouriteDrink: tea\n")]
    [InlineData("dn: uid=x,ou=people,dc=system\nchangetype: add\nobjectClass: inetOrgPerson\nsn: x\ncn: x\n")]
    [InlineData("dn: uid=ada,ou=people,dc=system\nchangetype: add\nobjectClass: inetOrgPerson\nsn: x\ncn: x\n")]
    [InlineData("dn: cn=wheel,ou=groups,dc=system\nchangetype: modify\nadd: member\nmember: uid=bob,ou=people,dc=system\n")]
    [InlineData("dn: cn=wheel,ou=groups,dc=system\nchangetype: modify\nadd: member\nmember: uid=nobody,ou=people,dc=system\n")]
    [InlineData("dn: cn=wheel,ou=groups,dc=system\nchangetype: delete\n")]
    [InlineData("dn: uid=bob,ou=people,dc=system\nchangetype: modrdn\nnewrdn: uid=root2\ndeleteoldrdn: 1\n")]
    public async Task Who_has_no_right_to_it_changes_nothing(string ldif)
    {
        await Identity.AddGroupAsync("wheel");
        var before = await SearchAsync("root", "-b", "dc=system", "(objectClass=*)", "*", "+");

        Assert.Equal(50, (await TryModifyAsync(ldif, "bob")).ExitCode);
        Assert.Equal(50, (await TryModifyAsync(ldif, null)).ExitCode);
        Assert.Equal(before, await SearchAsync("root", "-b", "dc=system", "(objectClass=*)", "*", "+"));
    }

    [Fact]
    public async Task Nobody_comes_by_rights_through_groups_or_passwords()
    {
        // May change groups and users, and set passwords; may not do what the administrators may.
        var role = await Identity.Get<IAccessPolicy>().CreateRoleAsync(new Role { Name = "helpdesk", Permissions = ["user:*", "group:*"] }, Token);
        var bob = Identity.Directory.Current.Find(Identity.SystemId, "bob")!;
        await Identity.Get<IAccessPolicy>().BindAsync(new RoleBinding { Subject = Subject.Entry(bob.Id), RoleId = role.Id, Scope = ResourceScope.System }, Token);
        var wheel = await Identity.AddGroupAsync("wheel");
        await Identity.Get<IAccessPolicy>().BindAsync(new RoleBinding { Subject = Subject.Entry(wheel.Id), RoleId = BuiltInRoles.SystemAdmin.Id, Scope = ResourceScope.System }, Token);

        Assert.Equal(0, (await TryModifyAsync("dn: uid=ada,ou=people,dc=system\nchangetype: modify\nreplace: title\ntitle: queen\n", "bob")).ExitCode);
        Assert.Equal(50, (await TryModifyAsync("dn: cn=wheel,ou=groups,dc=system\nchangetype: modify\nadd: member\nmember: uid=bob,ou=people,dc=system\n", "bob")).ExitCode);
        Assert.Equal(50, (await TryModifyAsync("dn: uid=root,ou=people,dc=system\nchangetype: modify\nreplace: userPassword\nuserPassword: known to bob alone\n", "bob")).ExitCode);
        Assert.Contains("(50)", (await TryAsync("ldappasswd", "bob", "-s", "known to bob alone", NameOf("root"))).Output, StringComparison.Ordinal);
        await RunAsync("ldappasswd", "bob", "-s", "told to ada by bob", NameOf("ada"));
    }

    [Fact]
    public async Task Ldapcompare_compares()
    {
        Assert.Equal(6, (await TryAsync("ldapcompare", "ada", NameOf("bob"), "cn:BOB")).ExitCode);
        Assert.Equal(5, (await TryAsync("ldapcompare", "ada", NameOf("bob"), "cn:eve")).ExitCode);
        Assert.Equal(16, (await TryAsync("ldapcompare", "ada", NameOf("bob"), "title:x")).ExitCode);
        Assert.Equal(16, (await TryAsync("ldapcompare", "root", NameOf("bob"), $"userPassword:{Password}")).ExitCode);
        Assert.Equal(32, (await TryAsync("ldapcompare", "ada", NameOf("nobody"), "cn:x")).ExitCode);
        Assert.Equal(50, (await TryAsync("ldapcompare", null, NameOf("bob"), "cn:bob")).ExitCode);
    }

    private static string Sorted(string record)
    {
        var lines = record.TrimEnd('\n').Split('\n');
        return string.Concat(lines.Take(1).Concat(lines.Skip(1).Order(StringComparer.Ordinal)).Select(line => line + "\n"));
    }

    private Task<string> WhoAmIAsync(string user, string password) => RunAsync("ldapwhoami", null, "-D", NameOf(user), "-w", password);

    private async Task AddAsync(string ldif)
    {
        await File.WriteAllTextAsync(Folder.File("add.ldif"), ldif, Token);
        await RunAsync("ldapadd", "root", "-f", Folder.File("add.ldif"));
    }

    private async Task ModifyAsync(string ldif, string user = "root")
    {
        var (exitCode, output) = await TryModifyAsync(ldif, user);
        Assert.True(exitCode == 0, output);
    }

    private async Task<(int ExitCode, string Output)> TryModifyAsync(string ldif, string? user = "root")
    {
        await File.WriteAllTextAsync(Folder.File("modify.ldif"), ldif, Token);
        return await TryAsync("ldapmodify", user, "-f", Folder.File("modify.ldif"));
    }
}
