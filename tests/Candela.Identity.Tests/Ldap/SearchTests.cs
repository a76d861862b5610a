using Candela.Identity.Accounts;
using Candela.Identity.Authorization;

namespace Candela.Identity.Tests.Ldap;

/// <summary>Searches by ldapsearch.</summary>
public sealed class SearchTests : LdapBench
{
    public override async ValueTask InitializeAsync()
    {
        await base.InitializeAsync();
        await AddUserAsync("ada", user => user with { GivenName = "Ada", Surname = "Lovelace", Mail = "ada@example.org", Telephone = "+44 20 7946-0000" });
    }

    [Fact]
    public async Task Ldapsearch_reads_a_user_over_loopback()
    {
        var found = await SearchAsync("ada", "-b", "dc=system", "(uid=ada)");

        Assert.Equal(
            """
            dn: uid=ada,ou=people,dc=system
            objectClass: top
            objectClass: person
            objectClass: organizationalPerson
            objectClass: inetOrgPerson
            objectClass: posixAccount
            uid: ada
            cn: Ada Lovelace
            sn: Lovelace
            givenName: Ada
            mail: ada@example.org
            telephoneNumber: +44 20 7946-0000
            uidNumber: 10000001
            gidNumber: 10000001
            homeDirectory: /home/ada
            loginShell: /bin/bash


            """,
            found);
    }

    [Theory]
    [InlineData("(uid=ADA)", "ada")]
    [InlineData("(cn=ada   lovelace)", "ada")]
    [InlineData("(commonName=Ada Lovelace)", "ada")]
    [InlineData("(2.5.4.3=Ada Lovelace)", "ada")]
    [InlineData("(name=Lovelace)", "ada")]
    [InlineData("(sn=love*)", "ada")]
    [InlineData("(sn=*LACE)", "ada")]
    [InlineData("(cn=a*a*lo*la*e)", "ada")]
    [InlineData("(cn=ada *lovelace)", "ada")]
    [InlineData("(cn=adal*)", "")]
    [InlineData("(sn~=Lufles)", "ada")]
    [InlineData("(sn~=Byron)", "")]
    [InlineData("(uidNumber=10000001)", "ada")]
    [InlineData("(uidNumber>=10000001)", "ada bob eve root")]
    [InlineData("(uidNumber<=9)", "")]
    [InlineData("(&(uidNumber>=10000002)(uidNumber<=10000002))", "bob")]
    [InlineData("(uidNumber=010000001)", "")]
    [InlineData("(telephoneNumber=+442079460000)", "ada")]
    [InlineData("(telephoneNumber=*7946*)", "ada")]
    [InlineData("(mail=*)", "ada")]
    [InlineData("(&(objectClass=inetOrgPerson)(!(mail=*)))", "admin bob eve root")]
    [InlineData("(&(objectClass=posixAccount)(|(uid=ada)(uid=bob)))", "ada bob")]
    [InlineData("(objectClass=POSIXaccount)", "admin ada bob eve root")]
    [InlineData("(objectClass=1.3.6.1.1.1.2.0)", "admin ada bob eve root")]
    [InlineData("(|)", "")]
    [InlineData("(&(&)(uid=ada))", "ada")]
    [InlineData("(cn:caseExactMatch:=Ada Lovelace)", "ada")]
    [InlineData("(cn:caseExactMatch:=ada lovelace)", "")]
    [InlineData("(cn:2.5.13.4:=\\2alove\\2a)", "ada")]
    [InlineData("(:caseIgnoreMatch:=lovelace)", "ada")]
    [InlineData("(ou:dn:=people)", "admin ada bob eve root people")]
    [InlineData("(:noSuchRule:=x)", "")]
    [InlineData("(title=Analyst)", "bob")]
    [InlineData("(title;lang-de=Rechnerin)", "bob")]
    [InlineData("(title;lang-fr=Rechnerin)", "")]
    [InlineData("(title=Rechnerin)", "bob")]
    [InlineData("(uid=\\61da)", "ada")]
    [InlineData("(uid=ad\\00a)", "ada")]
    [InlineData("(cn=\\ff)", "")]
    [InlineData("(!(cn=\\ff))", "")]
    [InlineData("(noSuchAttribute=x)", "")]
    [InlineData("(userPassword=*)", "")]
    [InlineData("(memberOf=cn=staff,ou=groups,dc=system)", "ada")]
    [InlineData("(memberOf=CN=Staff , OU=Groups,DC=SYSTEM)", "ada")]
    [InlineData("(memberOf=cn=other,ou=groups,dc=system)", "")]
    [InlineData("(member=uid=ada,ou=people,dc=system)", "staff")]
    [InlineData("(memberUid=ada)", "everybody staff")]
    [InlineData("(memberUid=Ada)", "")]
    [InlineData("(member:1.2.840.113556.1.4.1941:=uid=ada,ou=people,dc=system)", "everybody staff")]
    [InlineData("(entryDN=uid=ada,ou=people,dc=system)", "ada")]
    [InlineData("(createTimestamp>=20300101000000Z)", "dc=system people groups services machines admin ada bob eve root staff everybody ci")]
    [InlineData("(createTimestamp>=20300101000001Z)", "")]
    [InlineData("(hasSubordinates=TRUE)", "dc=system people groups services")]
    [InlineData("(pwdAccountLockedTime=*)", "eve")]
    public async Task Every_kind_of_filter_finds_what_it_says(string filter, string names)
    {
        await AddManyAsync();
        var found = await SearchAsync("root", "-b", "dc=system", filter, "1.1");

        var shown = found.Split('\n').Where(line => line.StartsWith("dn: ", StringComparison.Ordinal)).Select(line => line == "dn: dc=system" ? "dc=system" : line[4..].Split('=', ',')[1]);
        Assert.Equal(names.Split(' ', StringSplitOptions.RemoveEmptyEntries).Order(), shown.Order());
    }

    [Fact]
    public async Task Scopes_reach_as_far_as_they_say()
    {
        Assert.Equal("dn: dc=system\n\n", await SearchAsync("ada", "-b", "dc=system", "-s", "base", "1.1"));
        Assert.Equal(
            "dn: ou=people,dc=system\n\ndn: ou=groups,dc=system\n\ndn: ou=services,dc=system\n\ndn: ou=machines,dc=system\n\n", await SearchAsync("ada", "-b", "dc=system", "-s", "one", "1.1"));
        Assert.Equal("dn: uid=ada,ou=people,dc=system\n\ndn: uid=admin,ou=people,dc=system\n\n", await SearchAsync("ada", "-b", "ou=people,dc=system", "-s", "one", "1.1"));
        Assert.Equal("dn: uid=ada,ou=people,dc=system\n\n", await SearchAsync("ada", "-b", "UID=Ada,OU=People,DC=System", "-s", "sub", "1.1"));
        Assert.Equal("", await SearchAsync("ada", "-b", "uid=ada,ou=people,dc=system", "-s", "one", "1.1"));
    }

    [Fact]
    public async Task Attributes_are_selected()
    {
        Assert.Equal("dn: uid=ada,ou=people,dc=system\ncn: Ada Lovelace\nsn: Lovelace\nmail: ada@example.org\n\n", await SearchAsync("ada", "-b", NameOf("ada"), "MAIL", "cn", "2.5.4.4", "nonsense"));
        Assert.Equal("dn: uid=ada,ou=people,dc=system\ncn: Ada Lovelace\nsn: Lovelace\ngivenName: Ada\n\n", await SearchAsync("ada", "-b", NameOf("ada"), "name"));
        Assert.Equal("dn: uid=ada,ou=people,dc=system\nuid:\nmail:\n\n", await SearchAsync("ada", "-A", "-b", NameOf("ada"), "uid", "mail", "title"));
        var id = Identity.Directory.Current.Find(Identity.SystemId, "ada")!.Id;
        Assert.Equal(
            $"""
            dn: uid=ada,ou=people,dc=system
            structuralObjectClass: inetOrgPerson
            entryUUID: {id}
            createTimestamp: 20300101000000Z
            modifyTimestamp: 20300101000000Z
            entryDN: uid=ada,ou=people,dc=system
            subschemaSubentry: cn=Subschema
            hasSubordinates: FALSE


            """,
            await SearchAsync("ada", "-b", NameOf("ada"), "+"));
        Assert.Equal("dn: uid=ada,ou=people,dc=system\n\n", await SearchAsync("ada", "-b", "dc=system", $"(entryUUID={id})", "1.1"));
    }

    [Fact]
    public async Task The_root_says_what_the_server_can()
    {
        Assert.Equal(
            """
            dn:
            supportedExtension: 1.3.6.1.4.1.1466.20037
            supportedExtension: 1.3.6.1.4.1.4203.1.11.1
            supportedExtension: 1.3.6.1.4.1.4203.1.11.3
            supportedControl: 1.2.840.113556.1.4.319
            supportedControl: 2.16.840.1.113730.3.4.2
            supportedControl: 1.3.6.1.4.1.42.2.27.8.5.1
            supportedSASLMechanisms: PLAIN
            supportedLDAPVersion: 3
            supportedFeatures: 1.3.6.1.4.1.4203.1.5.1
            supportedFeatures: 1.3.6.1.4.1.4203.1.5.3
            supportedFeatures: 1.3.6.1.1.14
            vendorName: Candela
            subschemaSubentry: cn=Subschema


            """,
            (await SearchAsync(null, "-b", "", "-s", "base", "+")).Replace("entryDN:\n", "", StringComparison.Ordinal).Replace("hasSubordinates: TRUE\n", "", StringComparison.Ordinal));
        Assert.Equal("dn:\nnamingContexts: dc=system\n\n", await SearchAsync("ada", "-b", "", "-s", "base", "namingContexts"));
        Assert.Equal(32, (await TryAsync("ldapsearch", "ada", "-b", "", "-s", "sub")).ExitCode);
    }

    [Fact]
    public async Task The_schema_is_published()
    {
        var schema = await SearchAsync(null, "-b", "cn=Subschema", "-s", "base", "(objectClass=subschema)", "attributeTypes", "objectClasses", "ldapSyntaxes", "matchingRules");
        Assert.Contains("attributeTypes: ( 2.5.4.3 NAME ( 'cn' 'commonName' ) SUP name )\n", schema, StringComparison.Ordinal);
        Assert.Contains(
            "attributeTypes: ( 1.3.6.1.1.1.1.0 NAME 'uidNumber' EQUALITY integerMatch ORDERING integerOrderingMatch SYNTAX 1.3.6.1.4.1.1466.115.121.1.27 SINGLE-VALUE )\n", schema, StringComparison.Ordinal);
        Assert.Contains("NAME 'entryUUID' EQUALITY uuidMatch ORDERING uuidOrderingMatch SYNTAX 1.3.6.1.1.16.1 SINGLE-VALUE NO-USER-MODIFICATION USAGE directoryOperation )\n", schema, StringComparison.Ordinal);
        Assert.Contains(
            "objectClasses: ( 1.3.6.1.1.1.2.0 NAME 'posixAccount' SUP top AUXILIARY MUST ( cn $ uid $ uidNumber $ gidNumber $ homeDirectory ) MAY ( userPassword $ loginShell $ gecos $ description ) )\n",
            schema, StringComparison.Ordinal);
        Assert.Contains("matchingRules: ( 2.5.13.2 NAME 'caseIgnoreMatch' SYNTAX 1.3.6.1.4.1.1466.115.121.1.15 )\n", schema, StringComparison.Ordinal);
        Assert.Equal("dn: cn=Subschema\n\n", await SearchAsync(null, "-b", "cn=subschema", "-s", "base", "(attributeTypes=uidNumber)", "1.1"));
    }

    [Fact]
    public async Task Results_come_in_pages()
    {
        for (int i = 0; i < 25; i++)
            await Identity.AddUserAsync($"user{i:d2}");
        var all = await SearchAsync("ada", "-b", "ou=people,dc=system", "(uid=user*)", "1.1");
        Assert.Equal(25, all.Split("dn: ").Length - 1);
        foreach (var size in new[] { 1, 7, 25, 100 })
        {
            var paged = await SearchAsync("ada", "-E", $"pr={size}/noprompt", "-b", "ou=people,dc=system", "(uid=user*)", "1.1");
            Assert.Equal(all, string.Concat(paged.Split('\n').Where(line => line.StartsWith("dn: ", StringComparison.Ordinal)).Select(line => line + "\n\n")));
        }

        // By the index, too.
        var found = await SearchAsync("ada", "-E", "pr=2/noprompt", "-b", "dc=system", "(|(uid=user01)(uid=user24)(uid=user12))", "1.1");
        Assert.Equal(["user01", "user12", "user24"], found.Split('\n').Where(line => line.StartsWith("dn: ", StringComparison.Ordinal)).Select(line => line[8..14]));
    }

    [Fact]
    public async Task Limits_end_a_search()
    {
        for (int i = 0; i < 10; i++)
            await Identity.AddUserAsync($"user{i:d2}");
        var (exitCode, output) = await TryAsync("ldapsearch", "ada", "-LLL", "-z", "3", "-b", "ou=people,dc=system", "(uid=user*)", "1.1");
        Assert.Equal(4, exitCode);
        Assert.Equal(3, output.Split("dn: ").Length - 1);
        Assert.Equal(4, (await TryAsync("ldapsearch", "ada", "-LLL", "-z", "3", "-E", "pr=2/noprompt", "-b", "ou=people,dc=system", "(uid=user*)", "1.1")).ExitCode);
        Assert.Equal(10, (await SearchAsync("ada", "-z", "10", "-b", "ou=people,dc=system", "(uid=user*)", "1.1")).Split("dn: ").Length - 1);
    }

    [Fact]
    public async Task Changes_are_shownas_soon_as_they_are_made()
    {
        var user = (User)Identity.Directory.Current.Find(Identity.SystemId, "ada")!;
        for (int i = 0; i < 20; i++)
        {
            user = await Identity.Directory.UpdateAsync(user with { Mail = $"ada{i}@example.org" }, Token);
            Assert.Equal("dn: uid=ada,ou=people,dc=system\n\n", await SearchAsync("ada", "-b", "dc=system", $"(mail=ada{i}@example.org)", "1.1"));
            Assert.Equal("", await SearchAsync("ada", "-b", "dc=system", $"(mail=ada{i - 1}@example.org)", "1.1"));
        }
    }

    [Fact]
    public async Task Members_of_a_domain_see_what_logins_need_and_nothing_else()
    {
        await AddManyAsync();
        Assert.Equal(
            """
            dn: uid=bob,ou=people,dc=system
            objectClass: top
            objectClass: person
            objectClass: organizationalPerson
            objectClass: inetOrgPerson
            objectClass: posixAccount
            uid: bob
            cn: bob
            sn: bob
            uidNumber: 10000002
            gidNumber: 10000002
            homeDirectory: /home/bob
            loginShell: /bin/bash


            """,
            await SearchAsync("ada", "-b", "dc=system", "(uid=bob)"));

        // What is not for them to see does not count in filters, either.
        Assert.Equal("", await SearchAsync("ada", "-b", "dc=system", "(title=Analyst)", "1.1"));
        Assert.Equal("dn: uid=bob,ou=people,dc=system\n\n", await SearchAsync("ada", "-b", "dc=system", "(&(uid=bob)(!(title=Analyst)))", "1.1"));
        Assert.Equal("", await SearchAsync("bob", "-b", "dc=system", "(mail=ada@example.org)", "1.1"));

        // Nor do they see who is disabled, service accounts and machines; all that is theirs, they do.
        Assert.Equal("", await SearchAsync("ada", "-b", "dc=system", "(|(uid=eve)(uid=ci))", "1.1"));
        Assert.Equal(32, (await TryAsync("ldapsearch", "ada", "-b", NameOf("eve"), "-s", "base")).ExitCode);
        Assert.Contains("title: Analyst", await SearchAsync("bob", "-b", NameOf("bob"), "title"), StringComparison.Ordinal);
        Assert.Equal(50, (await TryAsync("ldapsearch", null, "-b", "dc=system")).ExitCode);
    }

    [Fact]
    public async Task Domains_are_hidden_from_each_other()
    {
        var acme = await Identity.Directory.CreateDomainAsync(new Domain { Name = "acme", Tenant = "acme" }, Token);
        var wile = await Identity.Credentials.CreateAsync(new User { DomainId = acme.Id, Name = "wile" }, Password, mustChange: false, Token);
        await Identity.Credentials.CreateAsync(new User { DomainId = acme.Id, Name = "ada" }, Password, mustChange: false, Token);

        Assert.Equal(32, (await TryAsync("ldapsearch", "ada", "-b", "dc=acme")).ExitCode);
        var missing = await TryAsync("ldapsearch", "ada", "-b", "dc=emca");
        Assert.Equal((await TryAsync("ldapsearch", "ada", "-b", "dc=acme")).Output.Replace("acme", "", StringComparison.Ordinal), missing.Output.Replace("emca", "", StringComparison.Ordinal));
        string[] asWile = ["-D", "uid=wile,ou=people,dc=acme", "-w", Password];
        Assert.Equal("dn: uid=ada,ou=people,dc=acme\n\n", await SearchAsync(null, [.. asWile, "-b", "dc=acme", "(uid=ada)", "1.1"]));
        Assert.Equal("dn:\nnamingContexts: dc=acme\n\n", await SearchAsync(null, [.. asWile, "-b", "", "-s", "base", "namingContexts"]));
        Assert.Equal(32, (await TryAsync("ldapsearch", null, [.. asWile, "-b", "dc=system"])).ExitCode);

        // Whoever may see the tenant's users sees them, one alone too; and it ends with the right.
        var ada = Identity.Directory.Current.Find(Identity.SystemId, "ada")!;
        var policy = Identity.Get<IAccessPolicy>();
        var role = await policy.CreateRoleAsync(new Role { Name = "reader", Permissions = ["user:get"] }, Token);
        var binding = await policy.BindAsync(
            new RoleBinding { Subject = Subject.Entry(ada.Id), RoleId = role.Id, Scope = ResourceScope.Tenant("acme").Resource(ResourceKind.User, wile.Id.ToString()) }, Token);
        Assert.Equal("dn: uid=wile,ou=people,dc=acme\n\n", await SearchAsync("ada", "-b", "dc=acme", "(uid=*)", "1.1"));
        await policy.BindAsync(new RoleBinding { Subject = Subject.Entry(ada.Id), RoleId = role.Id, Scope = ResourceScope.Tenant("acme") }, Token);
        Assert.Equal("dn: uid=ada,ou=people,dc=acme\n\ndn: uid=wile,ou=people,dc=acme\n\n", await SearchAsync("ada", "-b", "dc=acme", "(uid=*)", "1.1"));
        await policy.RemoveScopeAsync(ResourceScope.Tenant("acme"), Token);
        Assert.Equal(32, (await TryAsync("ldapsearch", "ada", "-b", "dc=acme")).ExitCode);
        Assert.NotEqual(Guid.Empty, binding.Id);
    }

    private async Task AddManyAsync()
    {
        var further = new Dictionary<string, IReadOnlyList<string>> { ["title"] = ["Analyst"], ["title;lang-de"] = ["Rechnerin"] };
        await AddUserAsync("bob", user => user with { Attributes = further });
        await AddUserAsync("eve", user => user with { Enabled = false });
        await AddAdministratorAsync("root");
        await Identity.Directory.CreateAsync(new ServiceAccount { DomainId = Identity.SystemId, Name = "ci" }, Token);
        var staff = await Identity.AddGroupAsync("staff");
        var everybody = await Identity.AddGroupAsync("everybody");
        await Identity.Directory.AddMemberAsync(staff.Id, Identity.Directory.Current.Find(Identity.SystemId, "ada")!.Id, Token);
        await Identity.Directory.AddMemberAsync(everybody.Id, staff.Id, Token);
    }
}
