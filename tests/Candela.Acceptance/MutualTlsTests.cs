namespace Candela.Acceptance;

/// <summary>nginx in one container, curl in others: mutual TLS by the identities that the platform gives, and nginx asks it who may.</summary>
public sealed class MutualTlsTests(Platform platform)
{
    private const string Configuration = """
        user root;
        daemon off;
        error_log stderr;
        pid /tmp/nginx.pid;
        events {}
        http {
          access_log off;
          client_body_temp_path /tmp/body; proxy_temp_path /tmp/proxy; fastcgi_temp_path /tmp/f; uwsgi_temp_path /tmp/u; scgi_temp_path /tmp/s;
          server {
            listen 8443 ssl;
            ssl_certificate /run/identity/svid.pem;
            ssl_certificate_key /run/identity/svid_key.pem;
            ssl_client_certificate /run/identity/bundle.pem;
            ssl_verify_client on;
            ssl_verify_depth 2;
            location / { auth_request /may; root /www; }
            location = /may {
              internal;
              proxy_pass http://unix:/dev/candela/workload.sock:/v1/peer-decision;
              proxy_pass_request_body off;
              proxy_set_header Content-Length "";
              proxy_set_header Candela-Source-Certificate $ssl_client_escaped_cert;
            }
          }
        }
        """;

    [Fact]
    public async Task Containers_talk_by_their_identities_and_a_third_one_is_refused()
    {
        using var folder = new TemporaryFolder();
        var tar = await DebianImage.MakeAsync(folder, ["/bin/busybox", "/usr/sbin/nginx", "/usr/bin/curl"], new Dictionary<string, string>
        {
            ["/etc/nginx/nginx.conf"] = Configuration,
            ["/etc/passwd"] = "root:x:0:0:root:/:/bin/sh\nnobody:x:65534:65534::/:/bin/sh\n",
            ["/etc/group"] = "root:x:0:\nnogroup:x:65534:\n",
            ["/etc/nsswitch.conf"] = "hosts: files dns\n",
            ["/www/index.html"] = "by mutual TLS\n",
        });
        _ = (await platform.DockerAsync("import", tar, "web:1")).Text;
        _ = (await platform.DockerAsync("network", "create", "mesh")).Text;
        string[] names = ["mtls-web", "mtls-shop", "mtls-stranger"];
        foreach (var name in names)
        {
            string[] command = name == "mtls-web" ? ["/usr/sbin/nginx", "-c", "/etc/nginx/nginx.conf"] : ["/bin/busybox", "sleep", "100000"];
            _ = (await platform.DockerAsync(["run", "-d", "--network", "mesh", "--name", name, "--label", "candela.identity.files=/run/identity", "web:1", .. command])).Text;
        }

        _ = (await platform.CandelaAsync("role", "create", "talks", "-p", "container:connect")).Text;
        var binding = (await platform.CandelaAsync("bind", "add", "talks", "workload:default/default/mtls-shop", "/tenants/default/projects/default")).Text;
        await Deadlines.UntilAsync("nginx's answer", async () => (await CurlAsync("mtls-shop")).ExitCode == 0);
        Assert.Equal("by mutual TLS", (await CurlAsync("mtls-shop")).Text);

        // A good identity without the right, and no identity at all.
        var stranger = await CurlAsync("mtls-stranger");
        Assert.True(stranger.ExitCode == 22 && stranger.Error.Contains("403", StringComparison.Ordinal), $"{stranger}");
        var nobody = await platform.DockerAsync("exec", "mtls-stranger", "/usr/bin/curl", "-sSf", "--cacert", "/run/identity/bundle.pem", "https://mtls-web:8443/");
        Assert.True(nobody.ExitCode == 22 && nobody.Error.Contains("400", StringComparison.Ordinal), $"{nobody}");

        // The right goes, and with it the way.
        _ = (await platform.CandelaAsync("bind", "rm", binding)).Text;
        Assert.Equal(22, (await CurlAsync("mtls-shop")).ExitCode);
        await platform.RemoveAsync(names);
        _ = (await platform.DockerAsync("network", "rm", "mesh")).Text;
        _ = (await platform.CandelaAsync("role", "rm", "talks")).Text;
    }

    private Task<CommandResult> CurlAsync(string container) => platform.DockerAsync(
        "exec", container, "/usr/bin/curl", "-sSf", "--cacert", "/run/identity/bundle.pem", "--cert", "/run/identity/svid.pem", "--key", "/run/identity/svid_key.pem", "https://mtls-web:8443/");
}
