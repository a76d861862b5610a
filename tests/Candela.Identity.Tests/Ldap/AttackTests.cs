using System.Net.Sockets;
using Candela.Identity.Accounts;
using Candela.Identity.Administration;
using Candela.Identity.Authentication;
using Candela.Identity.Ldap;
using Candela.Identity.Ldap.Operations;
using Candela.Identity.Ldap.Protocol;
using Candela.Identity.Ldap.Server;
using Microsoft.Extensions.DependencyInjection;

namespace Candela.Identity.Tests.Ldap;

/// <summary>What attackers send, and what they get.</summary>
public sealed class AttackTests : LdapBench
{
    private const int UnwillingToPerform = 53;

    private readonly KeptAudit _audit = new();

    protected override void AddServices(IServiceCollection services) => services.AddSingleton<IAuditSink>(_audit);

    public override async ValueTask InitializeAsync()
    {
        await base.InitializeAsync();
        await AddUserAsync("ada");
    }

    [Theory]
    [InlineData("3084ffffffff")] // four gigabytes
    [InlineData("30847fffffff")]
    [InlineData("30888000000000000000")] // a length of eight bytes
    [InlineData("30fe")]
    [InlineData("3080020101")] // indefinite
    [InlineData("308401000000")] // 16 MiB
    [InlineData("30820000")] // nothing in it
    [InlineData("474554202f20485454502f312e310d0a0d0a")] // GET / HTTP/1.1
    [InlineData("16030100")] // TLS where none is spoken
    [InlineData("300c020100600702010304008000")] // number 0
    [InlineData("300c0201ff600702010304008000")] // number -1
    [InlineData("300c020101600702010304008001")] // a string longer than what it is in
    [InlineData("300d02010160070201030400800000")] // more behind the request
    [InlineData("300c020101600724030401038000")] // a constructed string
    [InlineData("3006020101420100")] // an unbind that is not empty
    [InlineData("30050201017f6300")] // no such operation
    [InlineData("300502010161 00")] // a response
    public async Task What_is_not_ldap_ends_the_connection(string hexadecimal)
    {
        using var wire = await LdapWire.ConnectAsync(PlainEndpoint);
        await wire.SendAsync(Convert.FromHexString(hexadecimal.Replace(" ", "", StringComparison.Ordinal)));

        var notice = await wire.ReceiveAsync();
        Assert.Equal((0, 24, 2), (notice!.Id, notice.Operation, notice.Code));
        Assert.Null(await wire.ReceiveAsync());
        Assert.Equal("anonymous\n", await RunAsync("ldapwhoami", null));
    }

    [Fact]
    public async Task Deep_and_wide_filters_are_refused_and_the_connection_goes_on()
    {
        using var wire = await LdapWire.ConnectAsync(PlainEndpoint);
        await wire.AskAsync(LdapWire.Bind(1, NameOf("ada"), Password));
        Assert.Equal(UnwillingToPerform, (await wire.AskAsync(LdapWire.Search(2, "dc=system", LdapWire.Nested(20_000))))!.Code);
        Assert.Equal(UnwillingToPerform, (await wire.AskAsync(LdapWire.Search(3, "dc=system", LdapWire.Nested(LdapLimits.FilterDepth))))!.Code);
        Assert.Equal(0, (await LastAsync(wire, LdapWire.Search(4, "dc=system", LdapWire.Nested(LdapLimits.FilterDepth - 1)), 4)).Code);
        Assert.Equal(UnwillingToPerform, (await wire.AskAsync(LdapWire.Search(5, "dc=system", writer =>
        {
            using (writer.PushSequence(new System.Formats.Asn1.Asn1Tag(System.Formats.Asn1.TagClass.ContextSpecific, 1, isConstructed: true)))
            {
                for (int i = 0; i < LdapLimits.FilterTermCount; i++)
                    LdapWire.Equal("uid", "x")(writer);
            }
        })))!.Code);
        Assert.Equal(11, (await wire.AskAsync(LdapWire.Search(6, "dc=system", null, 2, null, [.. Enumerable.Repeat("cn", LdapLimits.AttributeSelectionCount + 1)])))!.Code);
        Assert.Equal(0, (await wire.AskAsync(LdapWire.Extended(7, LdapOids.WhoAmI)))!.Code);
    }

    [Fact]
    public async Task Large_messages_are_for_those_who_have_authenticated()
    {
        var large = LdapWire.Search(2, "dc=system", LdapWire.Equal("uid", new string('x', LdapLimits.AnonymousMessageBytes)));
        using var wire = await LdapWire.ConnectAsync(PlainEndpoint);
        Assert.Equal((0, 2), (await wire.AskAsync(large)) is { } refused ? (refused.Id, refused.Code) : default);
        Assert.Null(await wire.ReceiveAsync());

        using var known = await LdapWire.ConnectAsync(PlainEndpoint);
        await known.AskAsync(LdapWire.Bind(1, NameOf("ada"), Password));
        Assert.Equal(0, (await known.AskAsync(large))!.Code);
    }

    [Fact]
    public async Task A_name_without_a_password_authenticates_nobody()
    {
        using var wire = await LdapWire.ConnectAsync(PlainEndpoint);
        Assert.Equal(UnwillingToPerform, (await wire.AskAsync(LdapWire.Bind(1, NameOf("ada"), "")))!.Code);
        Assert.Equal(0, (await wire.AskAsync(LdapWire.Bind(2, "", "")))!.Code); // anonymous, and nothing more
        Assert.Equal(50, (await wire.AskAsync(LdapWire.Search(3, "dc=system")))!.Code);
    }

    [Fact]
    public async Task A_refused_bind_ends_who_one_was()
    {
        using var wire = await LdapWire.ConnectAsync(PlainEndpoint);
        Assert.Equal(0, (await wire.AskAsync(LdapWire.Bind(1, NameOf("ada"), Password)))!.Code);
        Assert.Equal(0, (await LastAsync(wire, LdapWire.Search(2, "dc=system"), 2)).Code);
        Assert.Equal(49, (await wire.AskAsync(LdapWire.Bind(3, NameOf("admin"), "wrong password")))!.Code);
        Assert.Equal(50, (await wire.AskAsync(LdapWire.Search(4, "dc=system")))!.Code);
        Assert.Equal(0, (await wire.AskAsync(LdapWire.Bind(5, NameOf("ada"), Password)))!.Code);
        Assert.Equal(2, (await wire.AskAsync(LdapWire.Bind(6, NameOf("ada"), Password, version: 2)))!.Code);
        Assert.Equal(50, (await wire.AskAsync(LdapWire.Search(7, "dc=system")))!.Code);
    }

    [Fact]
    public async Task Guessing_ends_the_connection_and_locks_the_name()
    {
        await Identity.Directory.UpdateDomainAsync(Identity.Directory.Current.SystemDomain with { PasswordPolicy = new PasswordPolicy { LockoutThreshold = 8 } }, Token);
        foreach (var name in new[] { "ada", "nobody" })
        {
            int refused = 0;
            for (int connection = 0; connection < 2; connection++)
            {
                using var wire = await LdapWire.ConnectAsync(PlainEndpoint);
                for (int i = 1; await wire.AskAsync(LdapWire.Bind(i, NameOf(name), $"guess {i}")) is { } answer; i++)
                {
                    Assert.Equal(LdapResult.InvalidCredentials, new LdapResult((ResultCode)answer.Code, answer.Text));
                    refused++;
                }
            }

            Assert.Equal(2 * LdapLimits.RefusedBindCount, refused);
        }

        // Locked now, the right password is refused by the same words.
        using var late = await LdapWire.ConnectAsync(PlainEndpoint);
        var locked = await late.AskAsync(LdapWire.Bind(1, NameOf("ada"), Password));
        Assert.Equal(LdapResult.InvalidCredentials, new LdapResult((ResultCode)locked!.Code, locked.Text));
        Assert.Equal(21, _audit.Records.Count(record => record is { Action: "ldap.bind", Failure: not null }));
        Assert.Contains(_audit.Records, record => record.Failure?.Message == "LockedOut" && record.Actor.From == "127.0.0.1");
        Assert.DoesNotContain(_audit.Records, record => $"{record} {record.Failure}".Contains("guess", StringComparison.Ordinal));

        Identity.Time.Advance(TimeSpan.FromMinutes(10));
        using var again = await LdapWire.ConnectAsync(PlainEndpoint);
        Assert.Equal(0, (await again.AskAsync(LdapWire.Bind(1, NameOf("ada"), Password)))!.Code);
    }

    [Fact]
    public async Task Guessing_through_password_changes_counts_as_well()
    {
        using var wire = await LdapWire.ConnectAsync(PlainEndpoint);
        int refused = 0;
        for (int i = 1; await wire.AskAsync(LdapWire.Extended(i, LdapOids.PasswordModify, Change(NameOf("ada"), $"guess {i}"))) is { Code: 49 }; i++)
            refused++;
        Assert.Equal(LdapLimits.RefusedBindCount, refused);
    }

    [Fact]
    public async Task Passwords_are_refused_where_others_can_listen()
    {
        var session = new LdapSession { From = "192.0.2.1", IsLocal = false };
        var bind = Identity.Get<BindOperation>();
        Assert.Equal(ResultCode.ConfidentialityRequired, (await bind.RunAsync(session, new BindRequest(3, NameOf("ada"), "x"u8.ToArray(), null, null), [])).Result.Code);
        Assert.Equal(ResultCode.ConfidentialityRequired, (await bind.RunAsync(session, new BindRequest(3, "", null, "PLAIN", "\0ada\0x"u8.ToArray()), [])).Result.Code);
        var refused = await Assert.ThrowsAsync<LdapException>(() =>
            Identity.Get<PasswordModify>().RunAsync(session, Change(NameOf("ada"), Password), Token).AsTask());
        Assert.Equal(ResultCode.ConfidentialityRequired, refused.Result.Code);
        Assert.Empty(session.Mechanisms);
        session.IsTls = true;
        Assert.Equal(ResultCode.Success, (await bind.RunAsync(session, new BindRequest(3, NameOf("ada"), System.Text.Encoding.UTF8.GetBytes(Password), null, null), [])).Result.Code);
    }

    [Fact]
    public async Task What_was_sent_before_the_handshake_does_not_count_behind_it()
    {
        using var wire = await LdapWire.ConnectAsync(PlainEndpoint);
        var notice = await wire.AskAsync([.. LdapWire.Extended(1, LdapOids.StartTls), .. LdapWire.Bind(2, NameOf("ada"), Password)]);
        Assert.Equal((0, 2), (notice!.Id, notice.Code));
        Assert.Null(await wire.ReceiveAsync());
    }

    [Fact]
    public async Task Unknown_controls_are_refused_only_if_they_are_critical()
    {
        using var wire = await LdapWire.ConnectAsync(PlainEndpoint);
        Assert.Equal(12, (await wire.AskAsync(LdapWire.Search(1, "", null, 0, LdapWire.Control("1.2.3", isCritical: true))))!.Code);
        Assert.Equal(0, (await LastAsync(wire, LdapWire.Search(2, "", null, 0, LdapWire.Control("1.2.3", isCritical: false)), 2)).Code);
        await wire.AskAsync(LdapWire.Bind(3, NameOf("ada"), Password));
        foreach (var cookie in new[] { "x", "1/2", "-1/0/", "0/-1/x", new string('9', 600) })
            Assert.Equal(UnwillingToPerform, (await wire.AskAsync(LdapWire.Search(4, "dc=system", null, 2, Page(10, cookie))))!.Code);
        Assert.Equal(2, (await wire.AskAsync(LdapWire.Search(5, "dc=system", null, 2, LdapWire.Control(LdapOids.PagedResults, true, [0x30, 0x00]))))!.Code);
        Assert.Equal(0, (await wire.AskAsync(LdapWire.Search(6, "dc=system", null, 2, Page(10, "0/99999/zzz"))))!.Code);
        Assert.Equal(2, (await wire.AskAsync(LdapWire.Extended(7, "1.2.3.4")))!.Code);
        await wire.SendAsync(LdapWire.Abandon(8, 4711));
        Assert.Equal(0, (await wire.AskAsync(LdapWire.Extended(9, LdapOids.WhoAmI)))!.Code);
    }

    [Fact]
    public async Task Names_and_values_stay_what_they_are()
    {
        await AddAdministratorAsync("root");
        await File.WriteAllTextAsync(Folder.File("add.ldif"), "dn: uid=eve\\,ou\\=groups,ou=people,dc=system\nobjectClass: inetOrgPerson\nsn: x\ncn: x\n", Token);
        Assert.Equal(19, (await TryAsync("ldapadd", "root", "-f", Folder.File("add.ldif"))).ExitCode);

        // A value with the signs of filters and names is a value.
        var title = "*)(uid=*))(|(uid=*,ou=people,dc=system";
        await Identity.Directory.CreateAsync(
            new User { DomainId = Identity.SystemId, Name = "bob", Attributes = new Dictionary<string, IReadOnlyList<string>> { ["title"] = [title] } }, Token);
        using var wire = await LdapWire.ConnectAsync(PlainEndpoint);
        await wire.AskAsync(LdapWire.Bind(1, NameOf("root"), Password));
        Assert.Equal("uid=bob,ou=people,dc=system", (await wire.AskAsync(LdapWire.Search(2, "dc=system", LdapWire.Equal("title", title))))!.Text);
        await wire.ReceiveAsync();
        Assert.Equal(5, (await wire.AskAsync(LdapWire.Search(3, "dc=system", LdapWire.Equal("title", "*"))))!.Operation);
        Assert.Equal(5, (await wire.AskAsync(LdapWire.Search(4, "dc=system", LdapWire.Equal("*", "x"))))!.Operation);
        Assert.Equal(34, (await wire.AskAsync(LdapWire.Search(5, "uid=ada)(uid=*,ou=people,,dc=system")))!.Code);
    }

    [Fact]
    public async Task Who_is_slow_or_silent_is_cut_off()
    {
        using var silent = await LdapWire.ConnectAsync(PlainEndpoint);
        using var slow = await LdapWire.ConnectAsync(PlainEndpoint);
        using var handshake = await LdapWire.ConnectAsync(TlsEndpoint);
        using var known = await LdapWire.ConnectAsync(PlainEndpoint);
        await known.AskAsync(LdapWire.Bind(1, NameOf("ada"), Password));
        await silent.AskAsync(LdapWire.Extended(1, LdapOids.WhoAmI));
        await slow.AskAsync(LdapWire.Extended(1, LdapOids.WhoAmI));
        var message = LdapWire.Extended(2, LdapOids.WhoAmI);
        await slow.SendAsync(message[..5]);
        await WaitAsync(() => Server is { ConnectionCount: 4, UnfinishedCount: 2 });

        // Each byte in time does not make a message in time.
        await AdvanceAsync(LdapLimits.ProgressSeconds - 5);
        await slow.SendAsync(message[5]);
        await AdvanceAsync(10);
        Assert.Null(await slow.ReceiveAsync());
        Assert.Null(await handshake.ReceiveAsync());
        await WaitAsync(() => Server.ConnectionCount == 2);
        await AdvanceAsync(LdapLimits.AnonymousIdleSeconds);
        Assert.Null(await silent.ReceiveAsync());
        Assert.Equal(0, (await known.AskAsync(LdapWire.Extended(2, LdapOids.WhoAmI)))!.Code);
        await AdvanceAsync(LdapLimits.IdleSeconds + 10);
        Assert.Null(await known.ReceiveAsync());
        await WaitAsync(() => Server.ConnectionCount == 0);
    }

    [Fact]
    public async Task Who_does_not_take_the_answers_is_cut_off_and_costs_little()
    {
        using var socket = new Socket(SocketType.Stream, ProtocolType.Tcp) { ReceiveBufferSize = 4096, SendBufferSize = 16 * 1024 };
        await socket.ConnectAsync(PlainEndpoint, Token);
        var question = LdapWire.Search(1, "cn=Subschema", null, 0, null, "*", "+");
        byte[] many = [.. Enumerable.Repeat(question, 1000).SelectMany(bytes => bytes)];
        var sending = Task.Run(
            async () =>
            {
                while (true)
                    await socket.SendAsync(many, Token);
            },
            Token);

        // The answers to all that the client can send would be gigabytes; what is kept for it stays small.
        await WaitAsync(() => Server.UnsentBytes > LdapLimits.UnsentBytes);
        Assert.InRange(Server.UnsentBytes, 0, 4 * LdapLimits.UnsentBytes);
        await WaitAsync(
            async () =>
            {
                await AdvanceAsync(LdapLimits.ProgressSeconds);
                return Server.ConnectionCount == 0;
            });
        await Assert.ThrowsAnyAsync<SocketException>(() => sending);
    }

    [Fact]
    public async Task One_address_has_only_so_many_connections()
    {
        var wires = new List<LdapWire>();
        try
        {
            for (int i = 0; i < LdapLimits.ConnectionsOfAddressCount; i++)
                wires.Add(await LdapWire.ConnectAsync(PlainEndpoint));
            await WaitAsync(() => Server.ConnectionCount == LdapLimits.ConnectionsOfAddressCount);
            using var last = await LdapWire.ConnectAsync(PlainEndpoint);
            Assert.Null(await last.ReceiveAsync());
            wires[0].Dispose();
            await WaitAsync(() => Server.ConnectionCount < LdapLimits.ConnectionsOfAddressCount);
            using var next = await LdapWire.ConnectAsync(PlainEndpoint);
            Assert.Equal(0, (await next.AskAsync(LdapWire.Extended(1, LdapOids.WhoAmI)))!.Code);
        }
        finally
        {
            wires.ForEach(wire => wire.Dispose());
        }
    }

    [Fact]
    public async Task Rights_that_end_end_on_open_connections_too()
    {
        using var wire = await LdapWire.ConnectAsync(PlainEndpoint);
        await wire.AskAsync(LdapWire.Bind(1, NameOf("ada"), Password));
        Assert.Equal(0, (await LastAsync(wire, LdapWire.Search(2, "dc=system"), 2)).Code);
        var ada = (User)Identity.Directory.Current.Find(Identity.SystemId, "ada")!;
        ada = await Identity.Directory.UpdateAsync(ada with { Enabled = false }, Token);
        Assert.Equal(50, (await wire.AskAsync(LdapWire.Search(3, "dc=system")))!.Code);
        await Identity.Directory.DeleteAsync(ada.Id, null, Token);
        Assert.Equal(50, (await wire.AskAsync(LdapWire.Search(4, "dc=system")))!.Code);
    }

    private static byte[] Change(string name, string old)
    {
        var writer = new System.Formats.Asn1.AsnWriter(System.Formats.Asn1.AsnEncodingRules.BER);
        using (writer.PushSequence())
        {
            LdapWire.Text(writer, name, LdapTags.Context(0));
            LdapWire.Text(writer, old, LdapTags.Context(1));
            LdapWire.Text(writer, "another good password", LdapTags.Context(2));
        }

        return writer.Encode();
    }

    private static Action<System.Formats.Asn1.AsnWriter> Page(int size, string cookie)
    {
        var writer = new System.Formats.Asn1.AsnWriter(System.Formats.Asn1.AsnEncodingRules.BER);
        using (writer.PushSequence())
        {
            writer.WriteInteger(size);
            LdapWire.Text(writer, cookie);
        }

        return LdapWire.Control(LdapOids.PagedResults, isCritical: true, writer.Encode());
    }

    private static async Task<LdapWire.Answer> LastAsync(LdapWire wire, byte[] message, int id)
    {
        await wire.SendAsync(message);
        while (true)
        {
            var answer = await wire.ReceiveAsync();
            Assert.Equal(id, answer!.Id);
            if (answer.Operation != 4)
                return answer;
        }
    }

    private static Task WaitAsync(Func<bool> condition) => WaitAsync(() => Task.FromResult(condition()));

    private static async Task WaitAsync(Func<Task<bool>> condition)
    {
        var deadline = DateTime.UtcNow + TimeSpan.FromSeconds(20);
        while (!await condition())
        {
            Assert.True(DateTime.UtcNow < deadline, "too late");
            await Task.Delay(5, Token);
        }
    }

    private async Task AdvanceAsync(int seconds)
    {
        Identity.Time.Advance(TimeSpan.FromSeconds(seconds));
        await Task.Yield();
    }

    private sealed class KeptAudit : IAuditSink
    {
        public System.Collections.Concurrent.ConcurrentQueue<AuditRecord> Records { get; } = new();

        public void Record(AuditRecord record) => Records.Enqueue(record);
    }
}
