using System.Text;
using Candela.Identity.Accounts;
using Candela.Identity.Authentication;
using Candela.Identity.Ldif;
using Candela.Model;

namespace Candela.Identity.Tests.Ldif;

public sealed class LdifTests : IAsyncLifetime
{
    private IdentityFixture _identity = null!;

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync() => _identity = await IdentityFixture.StartAsync();

    public ValueTask DisposeAsync() => _identity.DisposeAsync();

    [Fact]
    public async Task What_is_exported_comes_back_in_another_installation()
    {
        var acme = await _identity.Directory.CreateDomainAsync(new Domain { Name = "acme", Tenant = "acme" }, Token);
        var ada = await _identity.Credentials.CreateAsync(
            new User
            {
                DomainId = acme.Id,
                Name = "ada",
                GivenName = "Ada",
                Surname = "Łovelace",
                Mail = "ada@example.org",
                Telephone = "+44 20 7946 0958",
                Description = " begins with a space, " + new string('x', 300),
                Posix = new PosixAccount { UidNumber = 5000, GidNumber = 6000, HomeDirectory = "/srv/ada", LoginShell = "/bin/zsh" },
                Attributes = new Dictionary<string, IReadOnlyList<string>> { ["title"] = ["Countess", "Programmer\nand more"], ["sshpublickey"] = ["ssh-ed25519 AAAA"] },
            },
            "correct horse battery", mustChange: false, Token);
        var robot = await _identity.Directory.CreateAsync(new ServiceAccount { DomainId = acme.Id, Name = "robot", DisplayName = "Robot", Enabled = false }, Token);
        var host = await _identity.Directory.CreateAsync(new MachineAccount { DomainId = acme.Id, Name = "host1.example.org" }, Token);
        var inner = await _identity.Directory.CreateAsync(new Group { DomainId = acme.Id, Name = "inner", GidNumber = 7000 }, Token);
        var outer = await _identity.Directory.CreateAsync(new Group { DomainId = acme.Id, Name = "outer" }, Token);
        await _identity.Directory.CreateAsync(new Group { DomainId = acme.Id, Name = "empty" }, Token);
        await _identity.Directory.AddMemberAsync(inner.Id, ada.Id, Token);
        await _identity.Directory.AddMemberAsync(inner.Id, robot.Id, Token);
        await _identity.Directory.AddMemberAsync(outer.Id, inner.Id, Token);
        var text = await ExportAsync(_identity, acme.Id, withPasswords: true);

        await using var other = await IdentityFixture.StartAsync();
        var moved = await other.Directory.CreateDomainAsync(new Domain { Name = "acme", Tenant = "acme" }, Token);
        var import = await other.Get<ILdif>().ImportAsync(moved.Id, new StringReader(text), LdifPermits.All, Token);
        Assert.Equal((6, 0, 3), (import.CreatedCount, import.ExistingCount, import.MembershipCount));
        Assert.Empty(import.Problems);
        Assert.Equal(text, await ExportAsync(other, moved.Id, withPasswords: true));
        var found = other.Directory.Current.Get<User>(ada.Id)!;
        Assert.Equal((ada.Surname, ada.Mail, ada.Telephone, ada.Description, ada.Posix), (found.Surname, found.Mail, found.Telephone, found.Description, found.Posix));
        Assert.Equal(ada.Attributes["title"], found.Attributes["title"]);
        Assert.False(other.Directory.Current.Get(robot.Id)!.Enabled);
        Assert.IsType<MachineAccount>(other.Directory.Current.Get(host.Id));
        Assert.Equal(new HashSet<Guid> { inner.Id, outer.Id }, other.Directory.Current.EffectiveGroups(ada.Id));
        Assert.Equal(AuthenticationOutcome.Succeeded, (await other.Authenticator.VerifyPasswordAsync(new("acme", "ada"), "correct horse battery", Token)).Outcome);

        // Again: nothing new.
        import = await other.Get<ILdif>().ImportAsync(moved.Id, new StringReader(text), LdifPermits.All, Token);
        Assert.Equal((0, 6, 0), (import.CreatedCount, import.ExistingCount, import.MembershipCount));
    }

    [Fact]
    public async Task An_export_has_no_passwords_unless_they_are_asked_for()
    {
        await _identity.Credentials.CreateAsync(new User { DomainId = _identity.SystemId, Name = "ada" }, "correct horse battery", mustChange: false, Token);
        Assert.DoesNotContain("userPassword", await ExportAsync(_identity, _identity.SystemId, withPasswords: false), StringComparison.OrdinalIgnoreCase);
        Assert.Contains("userPassword", await ExportAsync(_identity, _identity.SystemId, withPasswords: true), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Reads_what_other_directories_write()
    {
        const string Text = """
            version: 1
            # extended LDIF, as of ldapsearch
            #
            dn: dc=example,dc=org
            objectClass: dcObject
            objectClass: organization
            o: Example
            dc: example

            dn: ou=People,dc=example,dc=org
            objectClass: organizationalUnit
            ou: People

            dn: uid=ada,ou=People,dc=example,dc=org
            changetype: add
            objectClass: inetOrgPerson
            objectClass: posixAccount
            objectClass: shadowAccount
            uid: ada
            sn: Lovelace
            givenName: Ada
            cn: Countess of
              Lovelace
            # a comment in the
             middle
            description:: w4Jjcml0dXJl
            uidNumber: 10000
            gidNumber: 5000
            userPassword: {SSHA}not-for-us
            loginShell: /bin/bash
            homeDirectory: /home/ada
            creatorsName: cn=admin,dc=example,dc=org

            dn: cn=Byron\, George,ou=People,dc=example,dc=org
            objectClass: person
            cn: Byron, George
            sn: Byron

            dn: cn=engineers,ou=Groups,dc=example,dc=org
            objectClass: groupOfNames
            cn: engineers
            member: uid=ada,ou=People,dc=example,dc=org
            member: uid=nobody,ou=People,dc=example,dc=org

            dn: cn=unix,ou=Groups,dc=example,dc=org
            objectClass: posixGroup
            cn: unix
            gidNumber: 5001
            memberUid: ada
            """;
        var import = await _identity.Get<ILdif>().ImportAsync(_identity.SystemId, new StringReader(Text.Replace("\n", "\r\n", StringComparison.Ordinal)), LdifPermits.All, Token);
        Assert.Equal((3, 2), (import.CreatedCount, import.MembershipCount));
        Assert.Equal(3, import.Problems.Count);
        Assert.Contains(import.Problems, p => p.StartsWith("line 14: uid=ada", StringComparison.Ordinal) && p.Contains("without a password", StringComparison.Ordinal));
        Assert.Contains(import.Problems, p => p.Contains("nobody", StringComparison.Ordinal));
        Assert.Contains(import.Problems, p => p.Contains("Byron", StringComparison.Ordinal));
        var ada = Assert.IsType<User>(_identity.Directory.Current.Find(_identity.SystemId, "ada"));
        Assert.Equal(("Countess of Lovelace", "Âcriture", 10000u), (ada.DisplayName, ada.Description, ada.Posix!.UidNumber));
        Assert.DoesNotContain("creatorsname", ada.Attributes.Keys);
    }

    [Theory]
    [InlineData("cn: before\n", 1)]
    [InlineData("version: 2\n", 1)]
    [InlineData("dn: cn=a\ncn:< file:///etc/shadow\n", 2)]
    [InlineData("dn: cn=a\nno colon\n", 2)]
    [InlineData("dn: cn=a\ncn:: ***\n", 2)]
    [InlineData("dn: cn=a\ncn:: /w==\n", 2)]
    [InlineData("dn: cn=a\nchangetype: delete\n", 2)]
    [InlineData(" folded\n", 1)]
    public async Task What_is_not_ldif_is_refused_with_the_line(string text, int line)
    {
        var refused = await Assert.ThrowsAsync<CandelaException>(() => _identity.Get<ILdif>().ImportAsync(_identity.SystemId, new StringReader(text), LdifPermits.All, Token));
        Assert.Equal(ErrorCode.InvalidArgument, refused.Code);
        Assert.Contains($"line {line}:", refused.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task What_came_before_a_broken_line_is_there()
    {
        const string Text = "dn: uid=ada\nobjectClass: person\nuid: ada\n\ndn: cn=all\nobjectClass: groupOfNames\nmember: uid=ada\n\nbroken\n";
        await Assert.ThrowsAsync<CandelaException>(() => _identity.Get<ILdif>().ImportAsync(_identity.SystemId, new StringReader(Text), LdifPermits.All, Token));
        var current = _identity.Directory.Current;
        Assert.True(current.IsMember(current.Find(_identity.SystemId, "all")!.Id, current.Find(_identity.SystemId, "ada")!.Id));
    }

    [Fact]
    public async Task Lines_without_end_are_cut_off()
    {
        using var endless = new EndlessReader("dn: cn=a\ncn: ", "x");
        await Assert.ThrowsAsync<LdifFormatException>(() => new LdifReader(endless).ReadAsync(Token));
        Assert.InRange(endless.Count, 0, 2 * LdifReader.LineLength);
        using var folded = new EndlessReader("dn: cn=a\ncn: x", "\n x");
        await Assert.ThrowsAsync<LdifFormatException>(() => new LdifReader(folded).ReadAsync(Token));
        using var attributes = new EndlessReader("dn: cn=a\n", "cn: x\n");
        await Assert.ThrowsAsync<LdifFormatException>(() => new LdifReader(attributes).ReadAsync(Token));
    }

    [Fact]
    public async Task Any_text_is_read_or_refused()
    {
        var random = new Random(1);
        string[] parts = ["dn", "cn", ":", "::", ":<", " ", "\n", "\r\n", "\n\n", "#", "=", "QUJD", "x", "\0", "é", "version: 1\n", "changetype: add\n", "-", "dn: cn=a\n", "cn: b\n"];
        for (int i = 0; i < 100_000; i++)
        {
            var text = string.Concat(Enumerable.Range(0, random.Next(1, 20)).Select(_ => parts[random.Next(parts.Length)]));
            try
            {
                var reader = new LdifReader(new StringReader(text));
                while (await reader.ReadAsync(Token) is { } record)
                {
                    // What was read is written such that it reads the same.
                    var output = new StringWriter();
                    await new LdifWriter(output).WriteAsync(record);
                    var again = await new LdifReader(new StringReader(output.ToString())).ReadAsync(Token);
                    Assert.Equal(record.Name, again!.Name);
                    Assert.Equal(record.Attributes, again.Attributes);
                }
            }
            catch (LdifFormatException)
            {
            }
        }
    }

    [Theory]
    [InlineData("uid=ada,ou=people,dc=acme", "ada")]
    [InlineData("cn=Byron\\, George,dc=x", "Byron, George")]
    [InlineData("cn=\\C5\\81ukasz", "Łukasz")]
    [InlineData("cn=a\\\\bc,dc=x", "a\\bc")]
    [InlineData("cn=a+uid=b,dc=x", null)]
    [InlineData("cn=a\\", null)]
    [InlineData("", null)]
    public void The_first_component_of_a_name_is_found(string name, string? value) => Assert.Equal(value, DirectoryNames.FirstValue(name));

    private static async Task<string> ExportAsync(IdentityFixture identity, Guid domainId, bool withPasswords)
    {
        var text = new StringWriter();
        await identity.Get<ILdif>().ExportAsync(domainId, text, withPasswords, Token);
        Assert.All(text.ToString().Split('\n'), line => Assert.InRange(Encoding.UTF8.GetByteCount(line), 0, 76));
        return text.ToString();
    }

    private sealed class EndlessReader(string beginning, string rest) : TextReader
    {
        public long Count { get; private set; }

        public override ValueTask<int> ReadAsync(Memory<char> buffer, CancellationToken cancellationToken = default)
        {
            for (int i = 0; i < buffer.Length; i++, Count++)
                buffer.Span[i] = Count < beginning.Length ? beginning[(int)Count] : rest[(int)((Count - beginning.Length) % rest.Length)];
            return ValueTask.FromResult(buffer.Length);
        }
    }
}
