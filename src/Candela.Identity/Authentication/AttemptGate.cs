namespace Candela.Identity.Authentication;

/// <summary>
/// Lets one check of a name at a time through, so that guesses cannot run ahead of their count, and as many hashes as there are cores. Who
/// would wait behind too many others is turned away instead.
/// </summary>
internal sealed class AttemptGate : IDisposable
{
    /// <summary>Most checks that wait for one name's (or a few names', that share it) turn.</summary>
    private const int NameWaitingCount = 16;

    /// <summary>Most checks that wait for a core.</summary>
    private const int CoreWaitingCount = 256;

    private readonly Turnstile[] _names = [.. Enumerable.Range(0, 1024).Select(_ => new Turnstile(1, NameWaitingCount))];
    private readonly Turnstile _cores = new(Environment.ProcessorCount, CoreWaitingCount);

    /// <summary>Enters, until disposed; null: too many wait.</summary>
    public Task<IDisposable?> EnterNameAsync(FailurePlace place, CancellationToken cancellationToken) =>
        _names[place.Slot % _names.Length].EnterAsync(cancellationToken);

    /// <summary>Enters, until disposed; null: too many wait.</summary>
    public Task<IDisposable?> EnterCoreAsync(CancellationToken cancellationToken) => _cores.EnterAsync(cancellationToken);

    public void Dispose()
    {
        foreach (var name in _names)
            name.Dispose();
        _cores.Dispose();
    }

    private sealed class Turnstile(int count, int waitingCount) : IDisposable
    {
        private readonly SemaphoreSlim _free = new(count);
        private int _inside;

        public async Task<IDisposable?> EnterAsync(CancellationToken cancellationToken)
        {
            if (Interlocked.Increment(ref _inside) > count + waitingCount)
            {
                Interlocked.Decrement(ref _inside);
                return null;
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

        private void Leave()
        {
            _free.Release();
            Interlocked.Decrement(ref _inside);
        }

        private sealed class Pass(Turnstile turnstile) : IDisposable
        {
            private Turnstile? _turnstile = turnstile;

            public void Dispose() => Interlocked.Exchange(ref _turnstile, null)?.Leave();
        }
    }
}
