using Candela.State;

namespace Candela.Daemon;

/// <summary><c>candelad store-copy FROM TO</c>: backup, restore and migration of the records.</summary>
internal static class StoreCopy
{
    /// <summary>First argument of the command.</summary>
    public const string Command = "store-copy";

    /// <summary>Copies; says how many documents.</summary>
    /// <exception cref="ArgumentException">An address is malformed, or there is no such store to copy from.</exception>
    /// <exception cref="StateStoreException">A store cannot be used, or the target is not empty.</exception>
    public static async Task RunAsync(string from, string to)
    {
        if (!StateStores.IsEtcd(from) && !File.Exists(from))
            throw new ArgumentException($"there is no state store {from}");
        var made = !StateStores.IsEtcd(to) && !File.Exists(to);
        try
        {
            await using IStateStore source = await StateStores.OpenAsync(from, TimeProvider.System, CancellationToken.None);
            await using IStateStore target = await StateStores.OpenAsync(to, TimeProvider.System, CancellationToken.None);
            long count = await StateCopy.RunAsync(source, target, CancellationToken.None);
            await Console.Out.WriteLineAsync($"{count} documents copied");
        }
        catch (Exception e) when (made && e is StateStoreException or FormatException)
        {
            foreach (string suffix in (string[])["", "-wal", "-shm", ".lock"])
                File.Delete(to + suffix);
            throw;
        }
    }
}
