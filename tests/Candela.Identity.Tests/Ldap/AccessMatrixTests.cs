using Candela.Identity.Accounts;
using Candela.Identity.Authorization;

namespace Candela.Identity.Tests.Ldap;

/// <summary>Every built-in role × place of its binding × what LDAP can do with a tenant's account, against a table that was written by hand.</summary>
public sealed class AccessMatrixTests : LdapBench
{
    // g read, c add, u modify, d delete, r set the password; - none. The account is in the domain of tenant a.
    private const string Table = """
        role           /      /tenants/a  /tenants/a/projects/p  /tenants/b
        system-admin   gcudr  gcudr       -                      -
        tenant-admin   gcudr  gcudr       -                      -
        project-admin  -      -           -                      -
        developer      -      -           -                      -
        viewer         -      -           -                      -
        auditor        g      g           -                      -
        """;

    private const string Verbs = "gcudr";

    [Fact]
    public async Task No_cell_is_wrong()
    {
        foreach (var tenant in new[] { "a", "b" })
            await Identity.Directory.EnsureTenantDomainAsync(tenant, Token);
        string[][] rows = [.. Table.Split('\n').Select(line => line.Split(' ', StringSplitOptions.RemoveEmptyEntries))];
        Assert.Equal(BuiltInRoles.All.Select(role => role.Name), rows.Skip(1).Select(row => row[0]));
        var wrong = new List<string>();
        foreach (var row in rows.Skip(1))
        {
            for (var place = 1; place < row.Length; place++)
            {
                var user = await AddUserAsync($"{row[0]}-{place}");
                Assert.True(ResourceScope.TryParse(rows[0][place], out var scope));
                await Identity.Get<IAccessPolicy>().BindAsync(
                    new RoleBinding { Subject = Subject.Entry(user.Id), RoleId = BuiltInRoles.Find(row[0])!.Id, Scope = scope }, Token);
                var allowed = string.Concat((await Task.WhenAll(Verbs.Select(verb => MayAsync(user.Name, verb)))).Where(verb => verb != '-'));
                if ((allowed.Length == 0 ? "-" : allowed) != row[place])
                    wrong.Add($"{row[0]} at {rows[0][place]}: {allowed}, not {row[place]}");
            }
        }

        Assert.Empty(wrong);
    }

    /// <summary>The verb, if the user may do it to an account that was made for this; else a hyphen.</summary>
    private async Task<char> MayAsync(string user, char verb)
    {
        var name = $"{verb}-{user}";
        var dn = $"uid={name},ou=people,dc=a";
        var domain = Identity.Directory.Current.FindDomain("a")!;
        if (verb != 'c')
            await Identity.Directory.CreateAsync(new User { DomainId = domain.Id, Name = name, Mail = "someone@example.org" }, Token);
        var done = verb switch
        {
            'g' => (await TryAsync("ldapsearch", user, "-LLL", "-b", dn, "-s", "base", "mail")).Output.Contains("someone@example.org", StringComparison.Ordinal),
            'c' => await SucceedsAsync("ldapadd", user, $"dn: {dn}\nobjectClass: inetOrgPerson\nuid: {name}\ncn: Made\nsn: Made\n"),
            'u' => await SucceedsAsync("ldapmodify", user, $"dn: {dn}\nchangetype: modify\nreplace: mail\nmail: other@example.org\n"),
            'd' => (await TryAsync("ldapdelete", user, dn)).ExitCode == 0,
            _ => (await TryAsync("ldappasswd", user, "-s", "another long password", dn)).ExitCode == 0,
        };

        // What the tool says is what has happened.
        var found = Identity.Directory.Current.Find(domain.Id, EntryKind.User, name) as User;
        if (verb is 'c' or 'd')
            Assert.Equal(done, (verb == 'c') == found is not null);
        if (verb == 'u')
            Assert.Equal(done, found!.Mail == "other@example.org");
        return done ? verb : '-';
    }

    private async Task<bool> SucceedsAsync(string program, string user, string ldif)
    {
        var file = Folder.File(Path.GetRandomFileName());
        await File.WriteAllTextAsync(file, ldif, Token);
        return (await TryAsync(program, user, "-f", file)).ExitCode == 0;
    }
}
