using System.Net;
using Candela.Model;
using Candela.Network.Addressing;

namespace Candela.Network.Tests.Addressing;

public sealed class SubnetPoolTests
{
    [Fact]
    public void What_the_host_has_routes_to_is_not_chosen()
    {
        Assert.Equal("172.20.0.0/16", Choose());
        Assert.Equal("172.22.0.0/16", Choose("172.20.3.0/24", "172.21.255.255/32"));
        Assert.Equal("192.168.128.0/20", Choose("172.16.0.0/12"));
        Assert.Equal("10.128.0.0/20", Choose("172.16.0.0/12", "192.168.0.0/16", "10.0.0.0/9"));
        Assert.Equal(ErrorCode.ResourceExhausted, Assert.Throws<CandelaException>(() => Choose("172.16.0.0/12", "192.168.0.0/16", "10.0.0.0/8")).Code);
    }

    private static string Choose(params string[] used) => SubnetPool.Choose(used.Select(IPNetwork.Parse)).ToString();
}
