namespace Candela.Images.Pulling;

/// <summary>
/// Pulls under way. Who asks for the same reference with the same credential joins, and sees the progress so far; when the last one
/// gives up, so does the pull.
/// </summary>
internal sealed class SharedPulls
{
    private readonly Lock _lock = new();
    private readonly Dictionary<(string Reference, RegistryCredential? Credential), Pull> _pulls = [];

    /// <summary>Joins a pull, or starts it.</summary>
    public async Task<string> RunAsync(
        string reference,
        RegistryCredential? credential,
        IProgress<ImageProgress>? progress,
        Func<IProgress<ImageProgress>, CancellationToken, Task<string>> work,
        CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        (string, RegistryCredential?) key = (reference, credential);
        Pull? pull;
        lock (_lock)
        {
            if (!_pulls.TryGetValue(key, out pull))
            {
                Pull started = pull = new Pull();
                _pulls.Add(key, pull);
                pull.Work = Task.Run(() => work(started, started.Cancellation.Token), CancellationToken.None);
            }

            pull.Waiting++;
        }

        pull.Join(progress);
        try
        {
            return await pull.Work.WaitAsync(cancellationToken).ConfigureAwait(false);
        }
        finally
        {
            pull.Leave(progress);
            bool isLast;
            lock (_lock)
            {
                isLast = --pull.Waiting == 0;
                if ((isLast || pull.Work.IsCompleted) && _pulls.GetValueOrDefault(key) == pull)
                    _pulls.Remove(key);
            }

            if (isLast)
                await pull.EndAsync().ConfigureAwait(false);
        }
    }

    private sealed class Pull : IProgress<ImageProgress>
    {
        private readonly Lock _lock = new();
        private readonly List<IProgress<ImageProgress>> _listeners = [];
        private readonly List<string> _order = [];
        private readonly Dictionary<string, ImageProgress> _latest = new(StringComparer.Ordinal);

        public CancellationTokenSource Cancellation { get; } = new();

        public Task<string> Work { get; set; } = null!;

        public int Waiting { get; set; }

        public void Report(ImageProgress value)
        {
            lock (_lock)
            {
                string key = value.Id ?? value.Status;
                if (_latest.TryAdd(key, value))
                    _order.Add(key);
                _latest[key] = value;
                foreach (IProgress<ImageProgress> listener in _listeners)
                    listener.Report(value);
            }
        }

        public void Join(IProgress<ImageProgress>? listener)
        {
            if (listener is null)
                return;
            lock (_lock)
            {
                foreach (string key in _order)
                    listener.Report(_latest[key]);
                _listeners.Add(listener);
            }
        }

        public void Leave(IProgress<ImageProgress>? listener)
        {
            lock (_lock)
                _listeners.Remove(listener!);
        }

        public async Task EndAsync()
        {
            await Cancellation.CancelAsync().ConfigureAwait(false);
            _ = Work.ContinueWith(
                static (work, cancellation) =>
                {
                    _ = work.Exception; // nobody waits for it any more
                    ((CancellationTokenSource)cancellation!).Dispose();
                },
                Cancellation,
                CancellationToken.None,
                TaskContinuationOptions.ExecuteSynchronously,
                TaskScheduler.Default);
        }
    }
}
