using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using Candela.Controller.Api.Access;
using Candela.Docker.Containers;
using Candela.Docker.Http;
using Candela.Docker.Images;
using Candela.Docker.Json;
using Candela.Docker.Volumes;
using Candela.Identity.Authorization;
using Candela.Model;
using Microsoft.AspNetCore.Http;

namespace Candela.Docker.Engine;

/// <summary>The engine itself: ping, version, info, disk usage.</summary>
internal static class SystemEndpoints
{
    public static void Map(DockerRoutes routes)
    {
        routes.Get(DockerRoutes.PingPath, RouteAccess.Everyone, PingAsync);
        routes.Head(DockerRoutes.PingPath, RouteAccess.Everyone, PingAsync);
        routes.Get("/version", RouteAccess.Everyone, VersionAsync);
        routes.Get("/info", RouteAccess.Project(ResourceKind.Container, Verb.List), InfoAsync);
        routes.Get("/system/df", RouteAccess.Project(ResourceKind.Container, Verb.List), DiskUsageAsync);
    }

    private static async Task PingAsync(DockerRequest request)
    {
        var response = request.Http.Response;
        response.Headers.CacheControl = "no-cache, no-store, must-revalidate";
        response.Headers.Pragma = "no-cache";
        response.Headers["Builder-Version"] = "1"; // no BuildKit
        response.Headers["Swarm"] = "inactive";
        response.ContentType = "text/plain; charset=utf-8";
        if (HttpMethods.IsHead(request.Http.Request.Method))
        {
            response.ContentLength = 0;
            return;
        }

        response.ContentLength = 2;
        await response.Body.WriteAsync("OK"u8.ToArray(), request.Aborted);
    }

    private static async Task VersionAsync(DockerRequest request)
    {
        var machine = await request.Services.Machine.GetAsync(request.Caller, request.Aborted);
        var version = request.Services.Options.Version;
        await request.WriteJsonAsync(
            new VersionResponse
            {
                Platform = new VersionPlatform($"Candela {version}"),
                Components =
                [
                    new VersionComponent("Engine", version, new Dictionary<string, string>
                    {
                        ["ApiVersion"] = DockerApiOptions.ApiVersion,
                        ["MinAPIVersion"] = DockerApiOptions.ApiVersionMinimum,
                        ["Arch"] = "amd64",
                        ["Os"] = "linux",
                        ["KernelVersion"] = machine.KernelVersion,
                        ["Experimental"] = "false",
                        ["GitCommit"] = "",
                        ["GoVersion"] = "",
                        ["BuildTime"] = "",
                    }),
                    new VersionComponent("guest", machine.GuestVersion, new Dictionary<string, string> { ["Kernel"] = machine.GuestKernel }),
                    new VersionComponent("microvisor", machine.Driver.Version, new Dictionary<string, string>
                    {
                        ["Driver"] = machine.Driver.Driver,
                        ["Accelerator"] = machine.Driver.Accelerator,
                    }),
                ],
                Version = version,
                ApiVersion = DockerApiOptions.ApiVersion,
                MinAPIVersion = DockerApiOptions.ApiVersionMinimum,
                KernelVersion = machine.KernelVersion,
            },
            DockerJson.Default.VersionResponse);
    }

    private static async Task InfoAsync(DockerRequest request)
    {
        var machine = await request.Services.Machine.GetAsync(request.Caller, request.Aborted);
        var containers = await request.Containers.ListAsync(request.Caller, request.Aborted);
        var images = await request.Images.ListAsync(request.Caller, request.Aborted);
        var running = containers.Count(container => container.Status.State is ContainerState.Running or ContainerState.Restarting);
        var paused = containers.Count(container => container.Status.State == ContainerState.Paused);
        await request.WriteJsonAsync(
            new InfoResponse
            {
                // Stable for one machine and state folder, as dockerd's is.
                ID = new Guid(SHA256.HashData(Encoding.UTF8.GetBytes($"{machine.Hostname}\n{machine.StateFolder}")).AsSpan(0, 16)).ToString(),
                Containers = containers.Count,
                ContainersRunning = running,
                ContainersPaused = paused,
                ContainersStopped = containers.Count - running - paused,
                Images = images.Count,
                DriverStatus =
                [
                    ["Microvisor", $"{machine.Driver.Driver} {machine.Driver.Version}"],
                    ["Accelerator", machine.Driver.Accelerator],
                    ["Guest", machine.GuestVersion],
                    ["Guest kernel", machine.GuestKernel],
                ],
                SystemTime = DockerTime.Format(request.Services.Time.GetUtcNow()),
                KernelVersion = machine.KernelVersion,
                OperatingSystem = machine.OperatingSystem,
                NCPU = machine.CpuCount,
                MemTotal = machine.MemoryBytes,
                DockerRootDir = machine.StateFolder,
                Name = machine.Hostname,
                ServerVersion = request.Services.Options.Version,
            },
            DockerJson.Default.InfoResponse);
    }

    private static async Task DiskUsageAsync(DockerRequest request)
    {
        // type=container&type=image…; absent: all
        request.Query.TryGetValue("type", out var types);
        bool Wants(string type) => types.Count == 0 || types.Contains(type);
        foreach (var type in types)
        {
            if (type is not ("container" or "image" or "volume" or "build-cache"))
                throw DockerException.BadRequest($"unknown object type: {type}");
        }

        var containers = await request.Containers.ListAsync(request.Caller, request.Aborted);
        var images = await request.Images.ListAsync(request.Caller, request.Aborted);
        var index = new ImageIndex(images);
        var now = request.Services.Time.GetUtcNow();
        await request.WriteJsonAsync(
            new DiskUsage
            {
                LayersSize = Wants("image") ? await request.Images.GetDiskUsageAsync(request.Caller, request.Aborted) : 0,
                Images = Wants("image")
                    ? [.. images.Select(image => ImageView.Summary(image, containers.Count(container => container.ImageId == image.Id)))]
                    : null,
                Containers = Wants("container") ? [.. containers.Select(container => ContainerView.Summary(container, index, now, size: true))] : null,
                Volumes = Wants("volume") ? [.. (await request.Services.Volumes.ListAsync(request.Caller, request.Aborted)).Select(static usage => VolumeEndpoints.View(usage, withUsage: true))] : null,
                BuildCache = Wants("build-cache") ? Array.Empty<JsonElement>() : null,
            },
            DockerJson.Default.DiskUsage);
    }
}
