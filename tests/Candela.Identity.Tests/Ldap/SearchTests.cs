namespace Candela.Identity.Tests.Ldap;

/// <summary>Searches by ldapsearch.</summary>
public sealed class SearchTests : LdapBench
{
    [Fact]
    public async Task Ldapsearch_reads_a_user_over_loopback()
    {
        await AddUserAsync("ada", user => user with { GivenName = "Ada", Surname = "Lovelace", Mail = "ada@example.org" });

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
            uidNumber: 10000001
            gidNumber: 10000001
            homeDirectory: /home/ada
            loginShell: /bin/bash


            """,
            found);
    }
}
