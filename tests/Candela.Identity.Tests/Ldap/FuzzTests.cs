using System.Formats.Asn1;
using Candela.Identity.Accounts;
using Candela.Identity.Ldap;
using Candela.Identity.Ldap.Access;
using Candela.Identity.Ldap.Filters;
using Candela.Identity.Ldap.Protocol;
using Candela.Identity.Ldap.Search;
using Candela.Identity.Ldap.Tree;
using Candela.Identity.Tests.Tools;

namespace Candela.Identity.Tests.Ldap;

/// <summary>Mangled messages are read or refused, and filters that are read can be asked; CANDELA_FUZZ_COUNT says how many.</summary>
public sealed class FuzzTests : IAsyncLifetime
{
    private IdentityFixture _identity = null!;

    public async ValueTask InitializeAsync() => _identity = await IdentityFixture.StartAsync();

    public ValueTask DisposeAsync() => _identity.DisposeAsync();

    [Fact]
    public async Task Mangled_messages_do_no_harm()
    {
        var user = await _identity.Directory.CreateAsync(
            new User
            {
                DomainId = _identity.SystemId, Name = "ada", GivenName = "Ada", Surname = "Lovelace", Mail = "ada@example.org",
                Attributes = new Dictionary<string, IReadOnlyList<string>> { ["title;lang-de"] = ["Gräfin"], ["sshpublickey"] = ["ssh-ed25519 AAAA"] },
            },
            TestContext.Current.CancellationToken);
        var group = await _identity.AddGroupAsync("staff");
        await _identity.Directory.AddMemberAsync(group.Id, user.Id, TestContext.Current.CancellationToken);
        var current = _identity.Directory.Current;
        TreeNode[] nodes = [TreeNode.Of(current, current.SystemDomain, current.Get(user.Id)!), TreeNode.Of(current, current.SystemDomain, current.Get(group.Id)!)];
        var index = new AttributeIndex();
        index.Reset(current);

        var mutator = new Mutator(7);
        int read = 0, filters = 0;
        var seeds = Seeds();
        for (int i = 0; i < Mutator.Count; i++)
        {
            var bytes = mutator.Next(seeds);
            LdapMessage message;
            try
            {
                // As a connection does it: the length first, then what is there of it.
                if (BerReader.MeasureMessage(bytes, LdapLimits.AnonymousMessageBytes) is not { } length || length > bytes.Length)
                    continue;
                Assert.InRange(length, 2, LdapLimits.AnonymousMessageBytes);
                message = MessageReader.Read(bytes.AsSpan(0, length));
                read++;
                PageRequest.Read(message.Controls);
            }
            catch (Exception e) when (e is LdapProtocolException or LdapException)
            {
                continue;
            }

            if (message.Request is not SearchRequest search)
                continue;
            filters++;
            var term = new FilterCompiler(current).Compile(search.Filter);
            var candidates = term.FindCandidates(new CandidateSource(index, current, _identity.SystemId));
            var selection = new AttributeSelection(search.Attributes);
            foreach (var node in nodes)
            {
                var isMatch = term.Matches(new MatchContext().At(node, ReadLevel.Full)) == true;
                Assert.True(!isMatch || candidates is null || candidates.Contains(node.Entry.Id), "the index leaves out an entry that matches");
                selection.ContainsFurther("title;lang-de");
            }
        }

        Assert.True(read > Mutator.Count / 20, $"only {read} of {Mutator.Count} were messages");
        Assert.True(filters > 0);
    }

    private static byte[][] Seeds()
    {
        var context = (int number, bool constructed) => new Asn1Tag(TagClass.ContextSpecific, number, constructed);
        Action<AsnWriter> complex = writer =>
        {
            using (writer.PushSequence(context(0, true)))
            {
                LdapWire.Equal("objectClass", "posixAccount")(writer);
                using (writer.PushSequence(context(1, true)))
                {
                    LdapWire.Equal("uid", "ada")(writer);
                    LdapWire.Equal("member", "uid=ada,ou=people,dc=system")(writer);
                    LdapWire.Equal("memberUid", "ada")(writer);
                    LdapWire.Equal("uidNumber", "10000000")(writer);
                    LdapWire.Equal("createTimestamp", "20300101000000Z")(writer);
                    LdapWire.Equal("title;lang-de", "Gräfin")(writer);
                }

                using (writer.PushSequence(context(2, true)))
                    LdapWire.Text(writer, "mail", context(7, false));
                using (writer.PushSequence(context(4, true)))
                {
                    LdapWire.Text(writer, "cn");
                    using (writer.PushSequence())
                    {
                        LdapWire.Text(writer, "Ada", context(0, false));
                        LdapWire.Text(writer, " love", context(1, false));
                        LdapWire.Text(writer, "lace", context(2, false));
                    }
                }

                using (writer.PushSequence(context(9, true)))
                {
                    LdapWire.Text(writer, "caseExactMatch", context(1, false));
                    LdapWire.Text(writer, "sn", context(2, false));
                    LdapWire.Text(writer, "Lovelace", context(3, false));
                    writer.WriteBoolean(true, context(4, false));
                }

                foreach (var comparison in new[] { 5, 6, 8 })
                {
                    using (writer.PushSequence(context(comparison, true)))
                    {
                        LdapWire.Text(writer, "sn");
                        LdapWire.Text(writer, "Lufles");
                    }
                }
            }
        };
        var page = new AsnWriter(AsnEncodingRules.BER);
        using (page.PushSequence())
        {
            page.WriteInteger(10);
            LdapWire.Text(page, "3/2/ada");
        }

        return
        [
            LdapWire.Bind(1, "uid=ada,ou=people,dc=system", "secret"),
            LdapWire.Search(2, "dc=system", complex, 2, LdapWire.Control("1.2.840.113556.1.4.319", true, page.Encode()), "cn", "*", "+", "title;lang-de"),
            LdapWire.Search(3, "", LdapWire.Equal("cn", "x")),
            LdapWire.Search(4, "dc=system", LdapWire.Nested(8)),
            LdapWire.Extended(5, "1.3.6.1.4.1.4203.1.11.1", "x"u8.ToArray()),
            LdapWire.Abandon(6, 5),
            LdapWire.Message(7, writer =>
            {
                using (writer.PushSequence(new Asn1Tag(TagClass.Application, 6, true)))
                {
                    LdapWire.Text(writer, "uid=ada,ou=people,dc=system");
                    using (writer.PushSequence())
                    using (writer.PushSequence())
                    {
                        writer.WriteEnumeratedValue(Kind.Replace);
                        using (writer.PushSequence())
                        {
                            LdapWire.Text(writer, "sn");
                            using (writer.PushSetOf())
                                LdapWire.Text(writer, "King");
                        }
                    }
                }
            }),
            LdapWire.Message(8, writer => LdapWire.Text(writer, "uid=ada,dc=x", new Asn1Tag(TagClass.Application, 10))),
        ];
    }

    private enum Kind
    {
        Replace = 2,
    }
}
