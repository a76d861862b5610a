using System.Net;
using Candela.Network.Namespaces;
using Candela.Network.Netlink;

namespace Candela.Network.Tests;

/// <summary>What is told to the kernel about links that may end by themselves.</summary>
public sealed class RouteSocketTests
{
    private const int NoLink = 4711;

    [Fact]
    public void What_belongs_to_a_link_that_has_ended_is_gone_as_wanted()
    {
        using NetworkNamespace space = NetworkNamespace.CreateAnonymous();
        using var route = new RouteSocket(space);

        // A tap ends with its VMM, at any time: also between the look for it and this.
        route.Execute(b =>
        {
            b.DeleteForwarding(NoLink, new MacAddress(0x02cd_0000_0001));
            b.DeleteNeighbour(NoLink, IPAddress.Parse("10.0.0.2"));
            b.DeleteLink(NoLink, "gone");
        });
    }
}
