using Candela.State.Etcd;
using Candela.State.Sqlite;

namespace Candela.State;

/// <summary>Stores by their addresses: <c>etcd://…</c> (<see cref="EtcdAddress"/>), everything else is the path of a SQLite file.</summary>
public static class StateStores
{
    /// <summary>Whether this is the address of an etcd cluster.</summary>
    public static bool IsEtcd(string address)
    {
        ArgumentNullException.ThrowIfNull(address);
        return address.StartsWith(EtcdAddress.Scheme, StringComparison.Ordinal);
    }

    /// <summary>Opens, or makes, a store.</summary>
    /// <exception cref="FormatException">It is no address.</exception>
    /// <exception cref="StateStoreException">The store cannot be used.</exception>
    public static async Task<IStateStore> OpenAsync(string address, TimeProvider time, CancellationToken cancellationToken) =>
        IsEtcd(address) ? await EtcdStateStore.OpenAsync(EtcdAddress.Parse(address), cancellationToken) : SqliteStateStore.Open(address, time);
}
