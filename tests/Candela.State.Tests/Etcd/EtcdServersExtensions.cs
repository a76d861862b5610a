using Candela.State.Etcd;
using Candela.Tests.Shared;

namespace Candela.State.Tests.Etcd;

internal static class EtcdServersExtensions
{
    /// <summary>Time in which a store is not opened.</summary>
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(2);

    /// <summary>Opens a store.</summary>
    public static Task<EtcdStateStore> OpenAsync(this EtcdServers servers, string options = "") =>
        EtcdStateStore.OpenAsync(Address(servers, options), TestContext.Current.CancellationToken);

    /// <summary>The error with which a store is not opened.</summary>
    public static Task<StateStoreException> RefuseAsync(this EtcdServers servers, string options = "") =>
        Assert.ThrowsAsync<StateStoreException>(() => EtcdStateStore.OpenAsync(Address(servers, options), Patience, TestContext.Current.CancellationToken));

    private static EtcdAddress Address(EtcdServers servers, string options) => EtcdAddress.Parse(EtcdAddress.Scheme + servers.Hosts + options);
}
