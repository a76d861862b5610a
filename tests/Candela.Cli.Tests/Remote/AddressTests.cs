using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Candela.Cli.CommandLine;
using Candela.Cli.Http;
using Candela.Cli.Remote;

namespace Candela.Cli.Tests.Remote;

public sealed class AddressTests
{
    [Theory]
    [InlineData("http://candela.example")]
    [InlineData("https://candela.example/v1")]
    [InlineData("https://user@candela.example")]
    [InlineData("https://candela.example?x=y")]
    [InlineData("candela.example")]
    public void Only_scheme_host_and_port_name_a_daemon(string text) => Assert.Throws<UsageException>(() => Addresses.Url(text));

    [Fact]
    public void An_address_is_the_same_however_it_is_written() =>
        Assert.Equal("https://candela.example", Addresses.Canonical(Addresses.Url("https://CANDELA.example:443/")));

    [Theory]
    [InlineData("localhost", true, true)]
    [InlineData("other.example", true, false)]
    [InlineData("localhost", false, false)]
    public async Task Only_the_right_name_by_the_right_authority_is_believed(string name, bool isTrusted, bool isBelieved)
    {
        using var mine = Certificate(name);
        using var another = Certificate("localhost");
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        var serving = Task.Run(async () =>
        {
            using var connection = await listener.AcceptTcpClientAsync(TestContext.Current.CancellationToken);
            await using var tls = new SslStream(connection.GetStream());
            await tls.AuthenticateAsServerAsync(mine);
            byte[] buffer = new byte[4096];
            _ = await tls.ReadAsync(buffer, TestContext.Current.CancellationToken);
            await tls.WriteAsync("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}"u8.ToArray(), TestContext.Current.CancellationToken);
        }, TestContext.Current.CancellationToken);

        bool sent = false;
        var address = new RemoteAddress(new Uri($"https://localhost:{((IPEndPoint)listener.LocalEndpoint).Port}"), [isTrusted ? mine : another], () =>
        {
            sent = true;
            return "token";
        });
        using var client = new DaemonClient(address);
        if (isBelieved)
            Assert.Equal("{}"u8, client.GetJson("/"));
        else
            Assert.Contains("--ca-file", Assert.Throws<DaemonUnreachableException>(() => client.GetJson("/")).Message, StringComparison.Ordinal);
        Assert.Equal(isBelieved, sent);
        await Task.WhenAny(serving);
    }

    [Theory]
    [InlineData("code=a%20b&state=c%2Bd", "a b", "c+d")]
    [InlineData("state=&code=x", "x", "")]
    public void An_answer_is_read(string query, string code, string state)
    {
        var fields = LoopbackAnswer.Fields(query)!;
        Assert.Equal((code, state), (fields["code"], fields["state"]));
    }

    [Theory]
    [InlineData("code=a&code=b")]
    [InlineData("code")]
    public void An_answer_that_can_be_read_in_two_ways_is_none(string query) => Assert.Null(LoopbackAnswer.Fields(query));

    private static X509Certificate2 Certificate(string name)
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest("CN=" + name, key, HashAlgorithmName.SHA256);
        var names = new SubjectAlternativeNameBuilder();
        names.AddDnsName(name);
        request.CertificateExtensions.Add(names.Build());
        return request.CreateSelfSigned(DateTimeOffset.UtcNow.AddMinutes(-5), DateTimeOffset.UtcNow.AddHours(1));
    }
}
