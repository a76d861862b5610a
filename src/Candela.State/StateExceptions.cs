namespace Candela.State;

/// <summary>The store cannot be used: locked by another process, damaged, or the disk is full. The message says which.</summary>
public sealed class StateStoreException(string message, Exception? inner = null) : Exception(message, inner);

/// <summary>The history does not reach back to the revision that was asked for: read the range again, then watch from its revision on.</summary>
/// <param name="oldest">Oldest revision that can be watched from.</param>
public sealed class StateCompactedException(long oldest) : Exception($"The history begins at revision {oldest}: read again, then watch from there.")
{
    /// <summary>Oldest revision that can be watched from.</summary>
    public long Oldest { get; } = oldest;
}
