using System.Globalization;
using System.Text;
using Candela.Identity.Storage;
using Candela.Model;
using Candela.State;

namespace Candela.Identity.Accounts;

/// <summary>
/// Allots Unix numbers that no other domain of the installation gets. Each controller takes a block at a time, so that making accounts needs
/// no common counter; what is left of a block when the process ends is never used.
/// </summary>
internal sealed class PosixNumbers(IStateStore store) : IDisposable
{
    private const uint BlockCount = 100;

    private readonly SemaphoreSlim _gate = new(1);
    private uint _next;
    private uint _end;

    /// <exception cref="CandelaException">ResourceExhausted.</exception>
    public async Task<uint> TakeAsync(CancellationToken cancellationToken)
    {
        await _gate.WaitAsync(cancellationToken);
        try
        {
            while (_next == _end)
                await TryTakeBlockAsync(cancellationToken);
            return _next++;
        }
        finally
        {
            _gate.Release();
        }
    }

    public void Dispose() => _gate.Dispose();

    private async Task TryTakeBlockAsync(CancellationToken cancellationToken)
    {
        var last = await store.GetAsync(IdentityKeys.Numbers, cancellationToken);
        uint first = last is null ? AccountLimits.PosixNumberFirst : uint.Parse(last.Value.Span, CultureInfo.InvariantCulture);
        if (first > AccountLimits.PosixNumberMaximum - BlockCount)
            throw new CandelaException(ErrorCode.ResourceExhausted, "All Unix numbers have been allotted: give numbers to the accounts yourself.");
        uint end = first + BlockCount;
        var result = await store.CommitAsync(
            new StateTransaction()
                .Expect(IdentityKeys.Numbers, last?.Revision ?? 0)
                .Put(IdentityKeys.Numbers, Encoding.ASCII.GetBytes(end.ToString(CultureInfo.InvariantCulture))),
            cancellationToken);
        if (result.Succeeded)
            (_next, _end) = (first, end);
    }
}
