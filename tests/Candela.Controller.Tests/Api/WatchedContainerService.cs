using System.Diagnostics.CodeAnalysis;
using System.Reflection;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;

namespace Candela.Controller.Tests.Api;

/// <summary>Tells when a call that lasts (wait, logs, events, attach) begins and when it is cancelled.</summary>
internal sealed class WatchedContainerService
{
    private readonly TaskCompletionSource _begun = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly TaskCompletionSource _cancelled = new(TaskCreationOptions.RunContinuationsAsynchronously);

    public Task Begun => _begun.Task;

    public Task Cancelled => _cancelled.Task;

    public void Register(IServiceCollection services)
    {
        var inner = (IContainerService)services.Single(service => service.ServiceType == typeof(IContainerService)).ImplementationInstance!;
        var proxy = DispatchProxy.Create<IContainerService, Proxy>();
        (((Proxy)(object)proxy).Inner, ((Proxy)(object)proxy).Watch) = (inner, this);
        services.Replace(ServiceDescriptor.Singleton(proxy));
    }

    [SuppressMessage("Performance", "CA1852", Justification = "DispatchProxy derives from it.")]
    internal class Proxy : DispatchProxy
    {
        public IContainerService Inner { get; set; } = null!;

        public WatchedContainerService Watch { get; set; } = null!;

        protected override object? Invoke(MethodInfo? targetMethod, object?[]? args)
        {
            try
            {
                var result = targetMethod!.Invoke(Inner, args);
                if (targetMethod.Name is nameof(IContainerService.WaitAsync) or nameof(IContainerService.ReadLogsAsync)
                    or nameof(IContainerService.ReadEventsAsync) or nameof(IContainerService.AttachAsync))
                {
                    ((CancellationToken)args![^1]!).Register(() => Watch._cancelled.TrySetResult());
                    Watch._begun.TrySetResult();
                }

                return result;
            }
            catch (TargetInvocationException e)
            {
                System.Runtime.ExceptionServices.ExceptionDispatchInfo.Throw(e.InnerException!);
                throw;
            }
        }
    }
}
