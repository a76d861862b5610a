using System.Net;
using Candela.Model;
using Candela.Network.Addressing;
using Candela.Tests.Shared;

namespace Candela.Network.Tests.Addressing;

public sealed class AddressPoolTests
{
    private readonly ManualTimeProvider _time = new();

    [Fact]
    public void Addresses_are_unique_and_neither_the_network_s_own_nor_the_gateway_s()
    {
        AddressPool pool = Pool("10.0.0.0/29");
        Assert.Equal(["10.0.0.2", "10.0.0.3", "10.0.0.4", "10.0.0.5", "10.0.0.6"], Enumerable.Range(0, 5).Select(_ => pool.Take().ToString()));
        Assert.Equal(ErrorCode.ResourceExhausted, Assert.Throws<CandelaException>(() => pool.Take()).Code);
    }

    [Fact]
    public void An_address_that_came_back_rests_and_the_one_that_rests_longest_is_given_first()
    {
        AddressPool pool = Pool("10.0.0.0/29");
        IPAddress[] all = [.. Enumerable.Range(0, 5).Select(_ => pool.Take())];
        pool.Return(all[3]);
        _time.Advance(TimeSpan.FromSeconds(1));
        pool.Return(all[1]);
        Assert.Contains("free again in 9 s", Assert.Throws<CandelaException>(() => pool.Take()).Message, StringComparison.Ordinal);
        _time.Advance(AddressPool.Rest);
        Assert.Equal([all[3], all[1]], [pool.Take(), pool.Take()]);
    }

    [Fact]
    public void Those_never_given_come_before_those_that_rested()
    {
        AddressPool pool = Pool("10.0.0.0/24");
        IPAddress first = pool.Take();
        pool.Return(first);
        _time.Advance(2 * AddressPool.Rest);
        Assert.NotEqual(first, pool.Take());
    }

    [Fact]
    public void An_address_of_choice_is_given_unless_somebody_has_it()
    {
        AddressPool pool = Pool("10.0.0.0/24", "10.0.0.128/30");
        pool.Take(IPAddress.Parse("10.0.0.129"));
        Assert.Equal(ErrorCode.Conflict, Assert.Throws<CandelaException>(() => pool.Take(IPAddress.Parse("10.0.0.129"))).Code);
        Assert.Equal(["10.0.0.128", "10.0.0.130", "10.0.0.131"], Enumerable.Range(0, 3).Select(_ => pool.Take().ToString()));
        foreach (string wrong in (string[])["10.0.0.0", "10.0.0.255", "10.0.1.1", "fd00::1"])
            Assert.Equal(ErrorCode.InvalidArgument, Assert.Throws<CandelaException>(() => pool.Take(IPAddress.Parse(wrong))).Code);
    }

    private AddressPool Pool(string network, string? range = null) =>
        new(IPNetwork.Parse(network), range is null ? null : IPNetwork.Parse(range), [IPAddress.Parse("10.0.0.1")], _time);
}
