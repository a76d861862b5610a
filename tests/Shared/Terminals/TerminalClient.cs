using System.Text;
using Candela.Model;

namespace Candela.Tests.Shared;

/// <summary>A command in a terminal of its own, as a user sits before it.</summary>
internal sealed class TerminalClient : IDisposable
{
    private static readonly TimeSpan Deadline = TimeSpan.FromSeconds(30);

    private readonly HostProcess _process;
    private readonly StringBuilder _screen = new();
    private readonly Task<int> _running;
    private TaskCompletionSource _grown = new(TaskCreationOptions.RunContinuationsAsynchronously);

    private TerminalClient(HostProcess process)
    {
        _process = process;
        _running = process.RunAsync((_, data) =>
        {
            lock (_screen)
            {
                _screen.Append(Encoding.UTF8.GetString(data.Span));
                _grown.TrySetResult();
                _grown = new(TaskCreationOptions.RunContinuationsAsynchronously);
            }

            return Task.CompletedTask;
        });
    }

    public string Screen
    {
        get
        {
            lock (_screen)
                return _screen.ToString();
        }
    }

    /// <summary>Starts a command.</summary>
    /// <param name="size">Size of the terminal.</param>
    /// <param name="environment">Variables besides those of this process, <c>NAME=VALUE</c>.</param>
    /// <param name="arguments">Program and arguments.</param>
    public static TerminalClient Start((ushort Rows, ushort Columns) size, IEnumerable<string> environment, IEnumerable<string> arguments) => new(HostProcess.Start(
        new ProcessConfiguration { Arguments = [.. arguments], Environment = ["TERM=xterm", .. environment], Tty = true, OpenStdin = true },
        size));

    public ValueTask TypeAsync(string text) => _process.WriteAsync(Encoding.UTF8.GetBytes(text));

    /// <summary>Resizes until the text shows: the CLI begins to watch its terminal a moment after the first output.</summary>
    public async Task ResizeUntilAsync(ushort rows, ushort columns, string text)
    {
        using var limit = new CancellationTokenSource(Deadline);
        for (var attempt = 0; !Screen.Contains(text, StringComparison.Ordinal); attempt++)
        {
            Assert.False(limit.IsCancellationRequested || _running.IsCompleted, $"\"{text}\" did not come; the screen shows: {Screen}");
            _process.Resize(rows, attempt % 2 == 0 ? columns : (ushort)(columns + 1));
            await Task.WhenAny(_running, Task.Delay(TimeSpan.FromMilliseconds(200), limit.Token));
        }
    }

    public async Task ExpectAsync(string text)
    {
        using var limit = new CancellationTokenSource(Deadline);
        while (true)
        {
            Task grown;
            lock (_screen)
            {
                if (_screen.ToString().Contains(text, StringComparison.Ordinal))
                    return;
                grown = _grown.Task;
            }

            try
            {
                await Task.WhenAny(grown, _running).WaitAsync(limit.Token);
            }
            catch (OperationCanceledException)
            {
                Assert.Fail($"\"{text}\" did not come; the screen shows: {Screen}");
            }

            if (_running.IsCompleted && !Screen.Contains(text, StringComparison.Ordinal))
                Assert.Fail($"\"{text}\" did not come before the end; the screen shows: {Screen}");
        }
    }

    public Task<int> ExitCodeAsync() => _running.WaitAsync(Deadline);

    public void Dispose() => _process.Dispose();
}
