namespace Candela.State;

/// <summary>Puts and deletes that happen together, or not at all.</summary>
public sealed class StateTransaction
{
    private readonly List<StateExpectation> _expectations = [];
    private readonly List<StateWrite> _writes = [];

    /// <summary>What must hold.</summary>
    public IReadOnlyList<StateExpectation> Expectations => _expectations;

    /// <summary>What to do, in order.</summary>
    public IReadOnlyList<StateWrite> Writes => _writes;

    /// <summary>The key must have this revision; 0: it must not exist.</summary>
    public StateTransaction Expect(string key, long revision)
    {
        StateLimits.CheckKey(key);
        ArgumentOutOfRangeException.ThrowIfNegative(revision);
        CheckCount();
        _expectations.Add(new StateExpectation(key, revision));
        return this;
    }

    /// <summary>Writes a value, under a lease when one is given.</summary>
    public StateTransaction Put(string key, ReadOnlyMemory<byte> value, long leaseId = 0)
    {
        StateLimits.CheckKey(key);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(value.Length, StateLimits.ValueBytes);
        CheckCount();
        _writes.Add(new StateWrite(key, value, leaseId));
        return this;
    }

    /// <summary>Deletes a key, if it is there.</summary>
    public StateTransaction Delete(string key)
    {
        StateLimits.CheckKey(key);
        CheckCount();
        _writes.Add(new StateWrite(key, null, 0));
        return this;
    }

    private void CheckCount()
    {
        if (_expectations.Count + _writes.Count >= StateLimits.TransactionCount)
            throw new ArgumentException($"A transaction has at most {StateLimits.TransactionCount} parts.");
    }
}

/// <summary>A key's revision that must hold.</summary>
/// <param name="Key">Key.</param>
/// <param name="Revision">Revision; 0: not there.</param>
public readonly record struct StateExpectation(string Key, long Revision);

/// <summary>A put, or with a null value a delete.</summary>
/// <param name="Key">Key.</param>
/// <param name="Value">Value; null: delete.</param>
/// <param name="LeaseId">Lease or 0.</param>
public readonly record struct StateWrite(string Key, ReadOnlyMemory<byte>? Value, long LeaseId);

/// <summary>What became of a transaction.</summary>
/// <param name="Succeeded">All of it was done; else nothing.</param>
/// <param name="Revision">Its revision; the store's when nothing changed.</param>
/// <param name="FailedKey">Key of the first expectation that did not hold; null on success.</param>
public readonly record struct CommitResult(bool Succeeded, long Revision, string? FailedKey);
