using System.Diagnostics;
using System.Net.Http.Headers;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;

namespace Candela.Tests.Shared;

/// <summary>Where a registry's users get their tokens.</summary>
/// <param name="Realm">Address of the token server.</param>
/// <param name="Certificate">Whose key signs the tokens.</param>
public sealed record TokenIssuance(string Realm, X509Certificate2 Certificate);

/// <summary>Debian's docker-registry on a free loopback port, with storage of its own; ends with the test.</summary>
public sealed partial class RegistryServer : IAsyncDisposable
{
    public const string Program = "/usr/bin/docker-registry";
    public const string Username = "candela";
    public const string Password = "secret";

    // bcrypt of Password, cost 4.
    private const string PasswordLine = Username + ":$2y$04$DuCtzxXGr2IBWIE4yo9SvuSUmr49gbQmqjr3DLDkHlZ0jcJ1Gq3OG\n";
    private static readonly TimeSpan StartTimeout = TimeSpan.FromSeconds(30);

    private readonly TemporaryFolder _folder;
    private readonly Process _process;
    private readonly Task _log;
    private readonly HttpClient _client;

    private RegistryServer(TemporaryFolder folder, Process process, Task log, int port, bool password, bool tls)
    {
        _folder = folder;
        _process = process;
        _log = log;
        Authority = $"127.0.0.1:{port}";
        _client = new HttpClient(new HttpClientHandler { ServerCertificateCustomValidationCallback = HttpClientHandler.DangerousAcceptAnyServerCertificateValidator })
        {
            BaseAddress = new Uri($"{(tls ? "https" : "http")}://{Authority}/"),
        };
        if (password)
            _client.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Basic", Convert.ToBase64String(Encoding.UTF8.GetBytes($"{Username}:{Password}")));
    }

    /// <summary><c>127.0.0.1:PORT</c>, as references begin.</summary>
    public string Authority { get; }

    /// <summary>Starts it and returns when it listens.</summary>
    /// <param name="password">Only <see cref="Username"/> may pull and push.</param>
    /// <param name="certificate">It speaks TLS; null: plain HTTP.</param>
    /// <param name="tokens">Only with a token from there may anyone pull and push.</param>
    public static async Task<RegistryServer> StartAsync(bool password = false, X509Certificate2? certificate = null, TokenIssuance? tokens = null)
    {
        var folder = new TemporaryFolder();
        File.WriteAllText(folder.File("htpasswd"), PasswordLine);
        if (certificate is not null)
        {
            File.WriteAllText(folder.File("tls.crt"), certificate.ExportCertificatePem());
            File.WriteAllText(folder.File("tls.key"), certificate.GetRSAPrivateKey()!.ExportPkcs8PrivateKeyPem());
        }

        if (tokens is not null)
            File.WriteAllText(folder.File("token.crt"), tokens.Certificate.ExportCertificatePem());
        File.WriteAllText(folder.File("config.yml"), $"""
            version: 0.1
            log:
              accesslog:
                disabled: true
            storage:
              filesystem:
                rootdirectory: {folder.File("data")}
              delete:
                enabled: true
            http:
              addr: 127.0.0.1:0

            """
            + (certificate is not null ? $"  tls:\n    certificate: {folder.File("tls.crt")}\n    key: {folder.File("tls.key")}\n" : "")
            + (tokens is not null ? $"auth:\n  token:\n    realm: {tokens.Realm}\n    service: test\n    issuer: test\n    rootcertbundle: {folder.File("token.crt")}\n" : "")
            + (password ? $"auth:\n  htpasswd:\n    realm: test\n    path: {folder.File("htpasswd")}\n" : ""));
        var start = new ProcessStartInfo(Program, ["serve", folder.File("config.yml")]) { RedirectStandardError = true, RedirectStandardOutput = true, RedirectStandardInput = true };
        start.Environment["OTEL_TRACES_EXPORTER"] = "none";
        var process = Process.Start(start)!;
        process.StandardInput.Close();
        var listening = new TaskCompletionSource<int>(TaskCreationOptions.RunContinuationsAsynchronously);
        var log = Task.WhenAll(DrainAsync(process.StandardError, listening), DrainAsync(process.StandardOutput, listening));
        _ = log.ContinueWith(_ => listening.TrySetException(new InvalidOperationException("docker-registry ended")), TaskScheduler.Default);
        try
        {
            return new RegistryServer(folder, process, log, await listening.Task.WaitAsync(StartTimeout), password, certificate is not null);
        }
        catch
        {
            process.Kill();
            process.Dispose();
            folder.Dispose();
            throw;
        }
    }

    /// <summary>Media type and content of a manifest.</summary>
    public async Task<(string MediaType, byte[] Content)> GetManifestAsync(string repository, string tag)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, $"v2/{repository}/manifests/{tag}");
        request.Headers.Accept.ParseAdd("application/vnd.docker.distribution.manifest.v2+json");
        request.Headers.Accept.ParseAdd("application/vnd.oci.image.manifest.v1+json");
        using var response = await _client.SendAsync(request);
        response.EnsureSuccessStatusCode();
        return (response.Content.Headers.ContentType!.MediaType!, await response.Content.ReadAsByteArrayAsync());
    }

    /// <summary>Whether no upload was left half-done.</summary>
    public bool HasNoUploads => !Directory.Exists(_folder.File("data")) || !Directory.EnumerateDirectories(_folder.File("data"), "_uploads", SearchOption.AllDirectories).Any(static uploads => Directory.EnumerateFileSystemEntries(uploads).Any());

    /// <summary>Uploads a blob.</summary>
    /// <returns>Its digest.</returns>
    public async Task<string> PushBlobAsync(string repository, byte[] content)
    {
        var digest = Digest(content);
        using var begun = await _client.PostAsync($"v2/{repository}/blobs/uploads/", null);
        begun.EnsureSuccessStatusCode();
        var location = new Uri(_client.BaseAddress!, begun.Headers.Location!);
        using var body = new ByteArrayContent(content) { Headers = { ContentType = new MediaTypeHeaderValue("application/octet-stream") } };
        using var done = await _client.PutAsync(new Uri($"{location}{(location.Query.Length > 0 ? '&' : '?')}digest={digest}"), body);
        done.EnsureSuccessStatusCode();
        return digest;
    }

    /// <summary>Uploads a manifest or an index under a tag or its digest.</summary>
    /// <returns>Its digest.</returns>
    public async Task<string> PushManifestAsync(string repository, string tagOrDigest, string mediaType, byte[] manifest)
    {
        using var body = new ByteArrayContent(manifest) { Headers = { ContentType = new MediaTypeHeaderValue(mediaType) } };
        using var done = await _client.PutAsync($"v2/{repository}/manifests/{tagOrDigest}", body);
        if (!done.IsSuccessStatusCode)
            throw new InvalidOperationException($"{(int)done.StatusCode}: {await done.Content.ReadAsStringAsync()}");
        return Digest(manifest);
    }

    /// <summary>Uploads an image with Docker's media types: its configuration and its layers, each a gzip'd tar, lowest first.</summary>
    /// <returns>The manifest's digest, and the manifest.</returns>
    public async Task<(string Digest, byte[] Manifest)> PushImageAsync(string repository, string? tag, byte[] configuration, params byte[][] layers)
    {
        var manifest = new JsonObject
        {
            ["schemaVersion"] = 2,
            ["mediaType"] = "application/vnd.docker.distribution.manifest.v2+json",
            ["config"] = Descriptor("application/vnd.docker.container.image.v1+json", configuration),
            ["layers"] = new JsonArray([.. layers.Select(layer => Descriptor("application/vnd.docker.image.rootfs.diff.tar.gzip", layer))]),
        };
        foreach (var blob in (byte[][])[configuration, .. layers])
            await PushBlobAsync(repository, blob);
        var bytes = Encoding.UTF8.GetBytes(manifest.ToJsonString());
        return (await PushManifestAsync(repository, tag ?? Digest(bytes), "application/vnd.docker.distribution.manifest.v2+json", bytes), bytes);
    }

    /// <summary>A descriptor of a content.</summary>
    public static JsonObject Descriptor(string mediaType, byte[] content)
        => new() { ["mediaType"] = mediaType, ["size"] = content.Length, ["digest"] = Digest(content) };

    /// <summary><c>sha256:…</c> of a content.</summary>
    public static string Digest(byte[] content) => "sha256:" + Convert.ToHexStringLower(SHA256.HashData(content));

    public async ValueTask DisposeAsync()
    {
        _client.Dispose();
        _process.Kill();
        await _process.WaitForExitAsync();
        await _log;
        _process.Dispose();
        _folder.Dispose();
    }

    private static async Task DrainAsync(StreamReader reader, TaskCompletionSource<int> listening)
    {
        while (await reader.ReadLineAsync() is { } line)
        {
            if (ListeningPattern().Match(line) is { Success: true } match)
                listening.TrySetResult(int.Parse(match.Groups[1].ValueSpan, System.Globalization.CultureInfo.InvariantCulture));
        }
    }

    [GeneratedRegex(@"listening on 127\.0\.0\.1:(\d+)")]
    private static partial Regex ListeningPattern();
}
