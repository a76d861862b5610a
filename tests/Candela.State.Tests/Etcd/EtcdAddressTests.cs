using Candela.State.Etcd;

namespace Candela.State.Tests.Etcd;

public sealed class EtcdAddressTests
{
    [Theory]
    [InlineData("etcd://one", "http://one:2379/", "")]
    [InlineData("etcd://one:80,[::1]:5,[::2]/a/b/", "http://one/ http://[::1]:5/ http://[::2]:2379/", "a/b/")]
    [InlineData("etcd://one?ca=/x%20y", "https://one:2379/", "")]
    public void Members_and_prefix_are_read(string text, string endpoints, string prefix)
    {
        var address = EtcdAddress.Parse(text);
        Assert.Equal(endpoints, string.Join(' ', address.Endpoints));
        Assert.Equal(prefix, address.Prefix);
    }

    [Fact]
    public void Files_are_read()
    {
        var address = EtcdAddress.Parse("etcd://one/p?ca=/ca%20file&cert=/c&key=/k");
        Assert.Equal(("/ca file", "/c", "/k"), (address.CaFile, address.CertificateFile, address.KeyFile));
    }

    [Theory]
    [InlineData("http://one")]
    [InlineData("etcd://")]
    [InlineData("etcd://one,,two")]
    [InlineData("etcd://user@one")]
    [InlineData("etcd://one:99999")]
    [InlineData("etcd://one?cert=/c&key=/k")]
    [InlineData("etcd://one?ca=/a&cert=/c")]
    [InlineData("etcd://one?ca=")]
    [InlineData("etcd://one?ca=/a&ca=/b")]
    [InlineData("etcd://one?timeout=5")]
    [InlineData("etcd://1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17")]
    public void What_is_no_address_is_refused(string text) => Assert.Throws<FormatException>(() => EtcdAddress.Parse(text));
}
