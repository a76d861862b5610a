using System.Collections.Concurrent;
using Candela.Machine.Native;
using Candela.Storage;
using Microsoft.Extensions.Logging;

namespace Candela.Machine.Disks;

/// <summary>
/// Makes the writable disks of containers: sparse ext4 files, copied from a template that mkfs.ext4 made once, a few of them
/// ahead of need so that a start costs one rename(2).
/// </summary>
internal sealed partial class ScratchDisks(string folder, long sizeBytes, int poolCount, ILogger logger) : IAsyncDisposable
{
    // What the guest's overlay needs; there from the beginning, because making them at each start costs an emulated guest 20 ms.
    private static readonly string[] OverlayFolders = ["upper", "work/work"];

    private readonly string _ready = Path.Combine(folder, "ready");
    private readonly string _template = Path.Combine(folder, $"template-{sizeBytes >> 20}m.ext4");
    private readonly ConcurrentQueue<string> _pool = new();
    private readonly SemaphoreSlim _refillWanted = new(0);
    private readonly CancellationTokenSource _stop = new();
    private readonly SemaphoreSlim _templateGate = new(1, 1);
    private Task _refill = Task.CompletedTask;
    private int _sequence;

    /// <summary>The disk that all others are copies of; there once <see cref="StartAsync"/> has returned.</summary>
    public string Template => _template;

    /// <summary>Throws away what an earlier daemon left half-made and starts to fill the pool.</summary>
    public async Task StartAsync(CancellationToken cancellationToken)
    {
        Directory.CreateDirectory(folder);
        if (Directory.Exists(_ready))
            Directory.Delete(_ready, recursive: true);
        Directory.CreateDirectory(_ready);
        await EnsureTemplateAsync(cancellationToken);
        _refill = RefillLoopAsync(_stop.Token);
        _refillWanted.Release();
    }

    /// <summary>Moves a fresh disk to <paramref name="path"/>.</summary>
    public async Task TakeAsync(string path, CancellationToken cancellationToken)
    {
        bool moved = false;
        if (_pool.TryDequeue(out string? ready))
        {
            File.Move(ready, path);
            moved = true;
        }

        if (_refillWanted.CurrentCount == 0)
            _refillWanted.Release();
        if (moved)
            return;

        await EnsureTemplateAsync(cancellationToken);
        LinuxFile.CopySparse(_template, path);
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        await _refill;
        _stop.Dispose();
        _refillWanted.Dispose();
        _templateGate.Dispose();
    }

    private async Task RefillLoopAsync(CancellationToken cancellationToken)
    {
        try
        {
            while (true)
            {
                await _refillWanted.WaitAsync(cancellationToken);
                while (_pool.Count < poolCount)
                {
                    cancellationToken.ThrowIfCancellationRequested();
                    string path = Path.Combine(_ready, $"{++_sequence}.ext4");
                    LinuxFile.CopySparse(_template, path);
                    _pool.Enqueue(path);
                }
            }
        }
        catch (OperationCanceledException)
        {
            // Stopped: the next daemon makes the pool anew.
        }
        catch (Exception e)
        {
            // The pool only saves time: TakeAsync copies the template itself and reports what goes wrong there.
            Log.PoolFailed(logger, e);
        }
    }

    private async Task EnsureTemplateAsync(CancellationToken cancellationToken)
    {
        if (File.Exists(_template))
            return;
        await _templateGate.WaitAsync(cancellationToken);
        try
        {
            if (File.Exists(_template))
                return;
            string temporary = _template + ".new", content = _template + ".content";
            foreach (string layer in OverlayFolders)
                Directory.CreateDirectory(Path.Combine(content, layer));
            await using (var file = new FileStream(temporary, FileMode.Create, FileAccess.Write))
                file.SetLength(sizeBytes);
            await Ext4.FormatAsync(temporary, content, cancellationToken);
            Directory.Delete(content, recursive: true);
            File.Move(temporary, _template);
        }
        finally
        {
            _templateGate.Release();
        }
    }

    private static partial class Log
    {
        [LoggerMessage(Level = LogLevel.Warning, Message = "scratch disks can no longer be made ahead of need")]
        public static partial void PoolFailed(ILogger logger, Exception exception);
    }
}
