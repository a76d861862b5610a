using Candela.Identity.Ldap.Protocol;

namespace Candela.Identity.Ldap.Search;

/// <summary>Lets few searches at a time look through whole domains, so that they do not take the processors from the rest.</summary>
internal sealed class ScanGate : IDisposable
{
    private readonly SemaphoreSlim _free = new(LdapLimits.ScanCount);
    private int _inside;

    /// <summary>Enters, until disposed.</summary>
    /// <exception cref="LdapException">Busy: too many wait.</exception>
    public async ValueTask<IDisposable> EnterAsync(CancellationToken cancellationToken)
    {
        if (Interlocked.Increment(ref _inside) > LdapLimits.ScanCount + LdapLimits.ScanWaitingCount)
        {
            Interlocked.Decrement(ref _inside);
            throw new LdapException(ResultCode.Busy, "too many searches look through whole domains: search by an indexed attribute, or try again later");
        }

        try
        {
            await _free.WaitAsync(cancellationToken);
        }
        catch
        {
            Interlocked.Decrement(ref _inside);
            throw;
        }

        return new Pass(this);
    }

    public void Dispose() => _free.Dispose();

    private sealed class Pass(ScanGate gate) : IDisposable
    {
        private ScanGate? _gate = gate;

        public void Dispose()
        {
            if (Interlocked.Exchange(ref _gate, null) is not { } gate)
                return;
            gate._free.Release();
            Interlocked.Decrement(ref gate._inside);
        }
    }
}
