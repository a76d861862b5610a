using Candela.Build;
using Candela.Machine;
using Candela.Model;

namespace Candela.Controller.Images.Builds;

/// <summary>A container that runs one command of a build.</summary>
internal sealed class BuildContainer(Caller caller, Container container, IContainerService containers, IMachine machine) : IBuildContainer
{
    public string Id => container.Id;

    public async Task<int> RunAsync(Func<OutputChunk, ValueTask> write, CancellationToken cancellationToken)
    {
        await using var session = await containers.AttachAsync(caller, Id, new AttachOptions(), cancellationToken);
        var waiting = await containers.WaitAsync(caller, Id, WaitCondition.NextExit, cancellationToken);
        try
        {
            await containers.StartAsync(caller, Id, cancellationToken);
        }
        catch (CandelaException e) when (e.Code is ErrorCode.CommandNotFound or ErrorCode.CommandNotExecutable)
        {
            throw new CandelaException(ErrorCode.InvalidArgument, $"failed to create task for container: {e.Message}", e);
        }

        await foreach (var chunk in session.ReadOutputAsync(cancellationToken))
            await write(chunk);
        return (await waiting).ExitCode;
    }

    public async Task ReadLayerAsync(Stream destination, CancellationToken cancellationToken) =>
        await machine.ReadLayerAsync(await containers.GetAsync(caller, Id, cancellationToken), destination, cancellationToken);

    public async ValueTask DisposeAsync()
    {
        try
        {
            await containers.RemoveAsync(caller, Id, force: true, withVolumes: true, CancellationToken.None);
        }
        catch (CandelaException e) when (e.Code == ErrorCode.NotFound)
        {
            // Somebody else has removed it.
        }
    }
}
