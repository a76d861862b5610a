using System.Net;
using System.Net.NetworkInformation;
using System.Net.Sockets;
using Candela.Images.Registry;
using Candela.Model;

namespace Candela.Images.Tests.Registry;

public sealed class TransportSecurityTests
{
    private readonly FakeImage _image = new();

    [Fact]
    public async Task Speaks_https_with_a_registry_on_loopback_whatever_its_certificate()
    {
        using var certificate = TestCertificate.Create();
        await using var server = new FakeServer(_image.Answer, certificate);
        using var client = new RegistryClient();

        Assert.Equal(_image.Layer, await client.FetchLayerAsync(server));
    }

    [Fact]
    public async Task Speaks_no_plain_http_with_a_registry_that_is_not_listed()
    {
        await using var server = new FakeServer(_image.Answer, address: OutsideAddress());
        using var client = new RegistryClient();

        Assert.Equal(ErrorCode.Unavailable, (await client.FailToResolveAsync(server)).Code);

        Assert.Empty(server.Requests);
    }

    [Fact]
    public async Task Refuses_an_unknown_certificate_of_a_registry_that_is_not_listed()
    {
        using var certificate = TestCertificate.Create();
        await using var server = new FakeServer(_image.Answer, certificate, OutsideAddress());
        using var client = new RegistryClient();

        Assert.Equal(ErrorCode.Unavailable, (await client.FailToResolveAsync(server)).Code);

        Assert.Empty(server.Requests);
    }

    [Fact]
    public async Task Speaks_plain_http_with_a_listed_registry()
    {
        var address = OutsideAddress();
        await using var server = new FakeServer(_image.Answer, address: address);
        using var client = new RegistryClient(RegistryClient.Impatient with { InsecureRegistries = [$"{address}/32"] });

        Assert.Equal(_image.Layer, await client.FetchLayerAsync(server));
    }

    [Theory]
    [InlineData("localhost", true)]
    [InlineData("LOCALHOST:5000", true)]
    [InlineData("127.0.0.1", true)]
    [InlineData("127.255.0.7:80", true)]
    [InlineData("[::1]:5000", true)]
    [InlineData("localhost.example.com", false)]
    [InlineData("127.0.0.1.example.com", false)]
    [InlineData("registry-1.docker.io", false)]
    [InlineData("10.1.2.3:5000", true)]
    [InlineData("11.1.2.3:5000", false)]
    [InlineData("registry.lan", true)]
    [InlineData("registry.lan:443", true)]
    [InlineData("other.lan:5000", true)]
    [InlineData("other.lan", false)]
    [InlineData("other.lan:5001", false)]
    public void Knows_which_registries_are_insecure(string authority, bool expected)
    {
        var options = new RegistryOptions { InsecureRegistries = ["10.0.0.0/8", "registry.lan", "other.lan:5000"] }.Validated();

        Assert.Equal(expected, options.IsInsecure(authority));
    }

    [Theory]
    [InlineData("https://registry.lan/v2/", false)]
    [InlineData("https://direct.lan/v2/", true)]
    [InlineData("http://localhost:5000/v2/", true)]
    [InlineData("http://127.0.0.5/v2/", true)]
    [InlineData("http://[::1]:5000/v2/", true)]
    public void Uses_no_proxy_for_loopback(string address, bool bypassed)
    {
        var proxy = new LoopbackBypassingProxy(new WebProxy("http://proxy.lan:3128", BypassOnLocal: false, [@"direct\.lan"]));

        Assert.Equal(bypassed, proxy.IsBypassed(new Uri(address)));
        Assert.Equal("proxy.lan", proxy.GetProxy(new Uri("https://registry.lan/"))!.Host);
    }

    [Theory]
    [InlineData("http://registry.lan")]
    [InlineData("10.0.0.0/99")]
    [InlineData("")]
    [InlineData(":5000")]
    public void Refuses_a_malformed_insecure_registry(string entry)
        => Assert.Equal(ErrorCode.InvalidArgument, Assert.Throws<CandelaException>(() => new RegistryOptions { InsecureRegistries = [entry] }.Validated()).Code);

    private static IPAddress OutsideAddress()
    {
        var address = NetworkInterface.GetAllNetworkInterfaces()
            .Where(static network => network.OperationalStatus == OperationalStatus.Up)
            .SelectMany(static network => network.GetIPProperties().UnicastAddresses)
            .Select(static unicast => unicast.Address)
            .FirstOrDefault(static address => address.AddressFamily == AddressFamily.InterNetwork && !IPAddress.IsLoopback(address));
        Assert.SkipWhen(address is null, "this host has no address but loopback");
        return address!;
    }
}
