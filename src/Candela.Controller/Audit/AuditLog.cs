using System.Diagnostics;
using System.Runtime.CompilerServices;
using System.Text.Json;
using Candela.Controller.Storage;
using Candela.Identity.Administration;
using Candela.Model;
using Microsoft.Extensions.Logging;

namespace Candela.Controller.Audit;

/// <summary>
/// Who did what when, with which outcome: JSON lines in a file that is only appended to and put aside when it is large. A line is written
/// when its call ends, before the caller learns of it.
/// </summary>
internal sealed partial class AuditLog(ControllerOptions options, TimeProvider time, ILogger<AuditLog> logger) : IAuditSink, IDisposable
{
    private const UnixFileMode OwnerOnly = UnixFileMode.UserRead | UnixFileMode.UserWrite;

    private readonly string _path = Path.Combine(options.StateFolder, "audit.log");
    private readonly Lock _gate = new();
    private FileStream? _file;
    private bool _closed;

    /// <summary>Carries a call out and records it.</summary>
    public async Task<T> RunAsync<T>(Caller caller, string action, string target, Func<Task<T>> call)
    {
        var start = Stopwatch.GetTimestamp();
        try
        {
            var result = await call();
            Write(caller, action, target, start, null);
            return result;
        }
        catch (Exception e)
        {
            Write(caller, action, target, start, e);
            throw;
        }
    }

    /// <summary>Carries a call without an answer out and records it.</summary>
    public Task RunAsync(Caller caller, string action, string target, Func<Task> call) => RunAsync(caller, action, target, async () =>
    {
        await call();
        return true;
    });

    /// <summary>Carries a call with many answers out and records it when it ends.</summary>
    public async IAsyncEnumerable<T> RunAsync<T>(
        Caller caller, string action, string target, Func<IAsyncEnumerable<T>> call, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        var start = Stopwatch.GetTimestamp();
        Exception? failure = null;
        try
        {
            await using var answers = call().GetAsyncEnumerator(cancellationToken);
            while (true)
            {
                try
                {
                    if (!await answers.MoveNextAsync())
                        break;
                }
                catch (Exception e)
                {
                    failure = e;
                    throw;
                }

                yield return answers.Current;
            }
        }
        finally
        {
            Write(caller, action, target, start, failure);
        }
    }

    public void Dispose()
    {
        lock (_gate)
        {
            _closed = true;
            _file?.Dispose();
            _file = null;
        }
    }

    /// <inheritdoc/>
    public void Record(AuditRecord record) =>
        Write(record.Actor.Name, record.Actor.UserId, record.Actor.From, project: null, record.Action, record.Target, record.Duration, record.Failure);

    private void Write(Caller caller, string action, string target, long start, Exception? failure) =>
        Write(caller.UserName, caller.UserId, caller.Actor.From, caller.Project, action, target, Stopwatch.GetElapsedTime(start), failure);

    private void Write(string user, uint? userId, string from, string? project, string action, string target, TimeSpan duration, Exception? failure)
    {
        var outcome = failure switch
        {
            null => "ok",
            CandelaException expected => expected.Code.ToString(),
            OperationCanceledException => "Cancelled",
            _ => nameof(ErrorCode.Internal),
        };
        var entry = new AuditEntry(
            time.GetUtcNow(), user, userId, from, project, action, target, outcome, failure?.Message, duration.TotalMilliseconds);
        byte[] line = [.. JsonSerializer.SerializeToUtf8Bytes(entry, ControllerJson.Default.AuditEntry), (byte)'\n'];
        lock (_gate)
        {
            if (_closed)
                return;
            try
            {
                if (_file is null || _file.Length + line.Length > options.AuditFileBytes)
                    Open(line.Length);
                _file!.Write(line);
            }
            catch (Exception e) when (e is IOException or UnauthorizedAccessException)
            {
                Log.WriteFailed(logger, _path, e);
            }
        }
    }

    private void Open(int more)
    {
        _file?.Dispose();
        _file = null;
        Directory.CreateDirectory(options.StateFolder);
        if (File.Exists(_path) && new FileInfo(_path).Length + more > options.AuditFileBytes)
            Rotate();
        _file = new FileStream(
            _path, new FileStreamOptions { Mode = FileMode.Append, Access = FileAccess.Write, Share = FileShare.Read | FileShare.Delete, BufferSize = 0, UnixCreateMode = OwnerOnly });
    }

    private void Rotate()
    {
        for (var i = options.AuditFileCount - 1; i > 0; i--)
        {
            var younger = i == 1 ? _path : $"{_path}.{i - 1}";
            if (File.Exists(younger))
                File.Move(younger, $"{_path}.{i}", overwrite: true);
        }
    }

    private static partial class Log
    {
        [LoggerMessage(1, LogLevel.Error, "{Path} cannot be written: calls go unrecorded")]
        public static partial void WriteFailed(ILogger logger, string path, Exception reason);
    }
}
