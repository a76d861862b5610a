using System.Threading.Channels;
using Candela.Model;

namespace Candela.Docker.Tests.Fake;

/// <summary>An attached host process, perhaps not started yet.</summary>
internal sealed class FakeSession(OutputHub hub, Channel<OutputChunk> output, Task<HostProcess> process, AttachOptions options, bool tty) : IProcessSession
{
    public bool Tty { get; } = tty;

    public async IAsyncEnumerable<OutputChunk> ReadOutputAsync(
        [System.Runtime.CompilerServices.EnumeratorCancellation] CancellationToken cancellationToken)
    {
        await foreach (var chunk in output.Reader.ReadAllAsync(cancellationToken))
        {
            if (chunk.IsStderr ? options.Stderr : options.Stdout)
                yield return chunk;
        }
    }

    public async ValueTask WriteInputAsync(ReadOnlyMemory<byte> data, CancellationToken cancellationToken) =>
        await (await process.WaitAsync(cancellationToken)).WriteAsync(data);

    public async ValueTask CloseInputAsync(CancellationToken cancellationToken) => (await process.WaitAsync(cancellationToken)).CloseInput();

    public ValueTask DisposeAsync()
    {
        hub.Unsubscribe(output);
        return ValueTask.CompletedTask;
    }
}
