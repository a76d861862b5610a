using Candela.Controller.Access;
using Candela.Controller.Audit;
using Candela.Controller.Containers;
using Candela.Controller.Events;
using Candela.Controller.Health;
using Candela.Controller.Images;
using Candela.Controller.Images.Builds;
using Candela.Controller.Machines;
using Candela.Controller.Networks;
using Candela.Controller.Networks.Flows;
using Candela.Controller.Networks.Policies;
using Candela.Controller.Storage;
using Candela.Controller.Volumes;
using Candela.Identity.Administration;
using Candela.Images;
using Candela.Machine;
using Candela.State;
using Candela.State.Sqlite;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Logging;

namespace Candela.Controller;

/// <summary>Registration of the Controller.</summary>
public static class ControllerServices
{
    /// <summary>
    /// Adds <see cref="IContainerService"/>, <see cref="IImageService"/>, <see cref="IMachineService"/> and <see cref="ControllerHost"/>,
    /// which must be started first. <see cref="IMachine"/>, <see cref="IImageStore"/>, <see cref="Candela.Storage.IVolumeDisks"/> and logging are the caller's to add.
    /// </summary>
    public static IServiceCollection AddController(this IServiceCollection services, ControllerOptions options)
    {
        services.AddSingleton(options);
        services.TryAddSingleton(TimeProvider.System);
        services.TryAddSingleton<IStateStore>(provider =>
            SqliteStateStore.Open(Path.Combine(options.StateFolder, "state.db"), provider.GetRequiredService<TimeProvider>()));
        services.AddSingleton(provider => new EventLog(provider.GetRequiredService<TimeProvider>(), options.EventCount));
        services.AddSingleton<StateWriter>();
        services.AddSingleton<ProjectTable>();
        services.AddSingleton<BackgroundTasks>();
        services.AddSingleton<AuditLog>();
        services.AddSingleton<IAuditSink>(provider => provider.GetRequiredService<AuditLog>());
        services.AddSingleton<ContainerTable>();
        services.AddSingleton<ExecTable>();
        services.AddSingleton<HealthMonitor>();
        services.AddSingleton<ContainerLifecycle>();
        services.AddSingleton<ContainerCreation>();
        services.AddSingleton<ContainerForks>();
        services.AddSingleton<ContainerExecs>();
        services.AddSingleton<ContainerService>();
        services.AddSingleton<ImageRemovals>();
        services.AddSingleton<ContainerCommits>();
        services.AddSingleton<ImageBuilds>();
        services.AddSingleton<ImageService>();
        services.AddSingleton<MachineService>();
        services.AddSingleton<VolumeTable>();
        services.AddSingleton<VolumeService>();
        services.AddSingleton<IVolumeService, AuditedVolumeService>();
        services.AddSingleton<NetworkTable>();
        services.AddSingleton<NetworkService>();
        services.AddSingleton<INetworkService, AuditedNetworkService>();
        services.AddSingleton<PolicyTable>();
        services.AddSingleton<NetworkPolicyService>();
        services.AddSingleton<INetworkPolicyService, AuditedNetworkPolicyService>();
        services.AddSingleton<FlowService>();
        services.AddSingleton<IFlowService, AuditedFlowService>();
        services.AddSingleton<Recovery>();
        services.AddSingleton(provider => new AccessControl(
            provider.GetService<AccessGuard>(), provider.GetRequiredService<ContainerTable>(), provider.GetRequiredService<ExecTable>()));
        services.AddSingleton<IContainerService, AuditedContainerService>();
        services.AddSingleton<IImageService, AuditedImageService>();
        services.AddSingleton<IMachineService, AuditedMachineService>();
        services.AddSingleton(provider => new ControllerHost(
            provider.GetRequiredService<Recovery>(),
            provider.GetRequiredService<ContainerLifecycle>(),
            provider.GetRequiredService<NetworkService>(),
            provider.GetRequiredService<ContainerTable>(),
            provider.GetRequiredService<ExecTable>(),
            provider.GetRequiredService<StateWriter>(),
            provider.GetRequiredService<EventLog>(),
            provider.GetRequiredService<BackgroundTasks>(),
            provider.GetRequiredService<IMachine>(),
            provider.GetRequiredService<IImageStore>(),
            provider.GetRequiredService<ILoggerFactory>(),
            provider.GetRequiredService<TimeProvider>()));
        return services;
    }
}
