using System.Globalization;
using System.Text;
using System.Text.Json;
using Candela.Build;
using Candela.Docker.Engine;
using Candela.Docker.Http;
using Candela.Docker.Json;
using Candela.Images;
using Candela.Model;
using Microsoft.AspNetCore.Http;

namespace Candela.Docker.Images;

/// <summary><c>docker build</c> by the classic builder (<c>POST /build</c>).</summary>
internal static class BuildEndpoints
{
    public static async Task BuildAsync(DockerRequest request)
    {
        var build = Translate(request);
        var credentials = Credentials(request);
        var quiet = request.Query.Flag("q");
        using var lifetime = request.LinkLifetime();
        await using var output = new BuildStream(request, quiet);
        try
        {
            var id = await request.Services.Tasks.RunAsync(request.Caller, "build", string.Join(' ', build.Tags), progress: null, _ =>
                request.Images.BuildAsync(request.Caller, request.ReadUnlimited(), build, credentials, output, lifetime.Token));
            if (!quiet)
                await output.SendAsync(new ProgressMessage { Aux = new ProgressAux { Id = id } }, lifetime.Token);
            await output.SendAsync(new ProgressMessage { Stream = quiet ? $"{id}\n" : $"Successfully built {ImageNames.ShortId(id)}\n" }, lifetime.Token);
            foreach (var tag in quiet ? [] : build.Tags)
                await output.SendAsync(new ProgressMessage { Stream = $"Successfully tagged {ImageNames.WithDefaultTag(ImageNames.Familiar(tag))}\n" }, lifetime.Token);
        }
        catch (BuildCommandException e)
        {
            await output.FailAsync(e.Message, e.ExitCode, lifetime.Token);
        }
        catch (CandelaException e) when (request.Http.Response.HasStarted && e.Code != ErrorCode.Internal)
        {
            await output.FailAsync(e.Message, code: null, lifetime.Token);
        }
    }

    public static async Task PruneAsync(DockerRequest request)
    {
        var freed = await request.Images.PruneBuildsAsync(request.Caller, request.Aborted);
        await request.WriteJsonAsync(new BuildCachePruned(null, freed), DockerJson.Default.BuildCachePruned);
    }

    private static BuildRequest Translate(DockerRequest request)
    {
        var query = request.Query;
        if (query.Text("version") is "2")
            throw DockerException.BadRequest("BuildKit (version=2) is not supported by Candela: build with DOCKER_BUILDKIT=0");
        if (query.Flag("squash"))
            throw DockerException.BadRequest("squash is not supported by Candela: a build keeps the layers of its steps (a multi-stage build copies just what is needed into one)");
        if (query.Text("remote") is { } remote && remote != "client-session")
            throw DockerException.BadRequest("a remote build context (Git repository or URL) is not supported by Candela: fetch it and give its folder");
        if (query.Text("isolation") is { } isolation && isolation != "default")
            throw DockerException.BadRequest($"isolation {isolation} is not supported: every step runs in a micro-VM");
        foreach (var name in (string[])["cpuperiod", "cpuquota", "cpushares", "cpusetcpus", "cpusetmems", "cgroupparent", "securityopt", "ulimits", "outputs"])
        {
            if (query.Text(name) is { } given && given is not ("0" or "[]" or "null" or "{}"))
                throw DockerException.NotSupported($"{name} of a build is");
        }

        Platforms.RequireOurs(request);
        return new BuildRequest
        {
            ContextPath = "",
            DockerfilePath = query.Text("dockerfile") ?? "Dockerfile",
            Tags = [.. query["t"].OfType<string>().Where(static tag => tag.Length > 0).Distinct()],
            BuildArguments = Json<Dictionary<string, string?>>(query, "buildargs", static text => JsonSerializer.Deserialize(text, DockerJson.Default.DictionaryStringString)!) ?? [],
            Labels = Json<Dictionary<string, string>>(query, "labels", static text => JsonSerializer.Deserialize(text, DockerJson.Default.DictionaryStringString)!) ?? [],
            CacheFrom = Json<List<string>>(query, "cachefrom", static text => JsonSerializer.Deserialize(text, DockerJson.Default.ListString)!) ?? [],
            Target = query.Text("target") ?? "",
            IgnoresCache = query.Flag("nocache"),
            PullsAlways = query.Flag("pull"),
            Network = query.Text("networkmode") switch { null or "" or "default" => "bridge", "host" => throw DockerException.BadRequest("--network host is not supported: every step is a virtual machine of its own"), var network => network },
            MemoryBytes = Bytes(query, "memory"),
            ShmSizeBytes = Bytes(query, "shmsize"),
            ExtraHosts = [.. query["extrahosts"].OfType<string>().SelectMany(static hosts => hosts.Split(',', StringSplitOptions.RemoveEmptyEntries))],
        };
    }

    private static long Bytes(IQueryCollection query, string name) => query.Text(name) is not { } text ? 0
        : long.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var bytes) ? bytes
        : throw DockerException.BadRequest($"invalid value for {name}");

    private static T? Json<T>(IQueryCollection query, string name, Func<string, T> read)
        where T : class
    {
        if (query.Text(name) is not { } text)
            return null;
        try
        {
            return read(text);
        }
        catch (JsonException e)
        {
            throw DockerException.BadRequest($"invalid {name}: {e.Message}");
        }
    }

    /// <summary>The header <c>X-Registry-Config</c>: credentials by registry.</summary>
    private static Func<string, RegistryCredential?> Credentials(DockerRequest request)
    {
        var header = request.Http.Request.Headers["X-Registry-Config"].ToString();
        if (header.Length == 0)
            return static _ => null;
        Dictionary<string, RegistryAuth> known;
        try
        {
            var base64 = header.Replace('-', '+').Replace('_', '/');
            known = JsonSerializer.Deserialize(Encoding.UTF8.GetString(Convert.FromBase64String(base64.PadRight((base64.Length + 3) / 4 * 4, '='))), DockerJson.Default.DictionaryStringRegistryAuth) ?? [];
        }
        catch (Exception e) when (e is FormatException or JsonException)
        {
            throw DockerException.BadRequest($"invalid X-Registry-Config header: {e.Message}");
        }

        return registry =>
        {
            var found = known.FirstOrDefault(one => Host(one.Key) == registry).Value;
            return found is null ? null : RegistryAuthHeader.ToCredential(found);
        };

        static string Host(string key)
        {
            var scheme = key.IndexOf("://", StringComparison.Ordinal);
            var host = (scheme < 0 ? key : key[(scheme + 3)..]).Split('/')[0];
            return host is "index.docker.io" or "registry-1.docker.io" ? "docker.io" : host;
        }
    }
}
