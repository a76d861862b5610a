using System.Net;
using System.Net.Http.Json;
using System.Text;
using System.Text.Json.Nodes;

namespace Candela.Controller.Tests.Api.Identity;

public sealed class IdentityEndpointTests
{
    [Fact]
    public async Task Users_are_created_changed_renamed_and_removed()
    {
        await using var server = await ApiServer.StartAsync();
        await SendAsync(server, HttpMethod.Post, "/v1/domains", """{"tenant":"acme"}""", HttpStatusCode.Created);
        var made = await SendAsync(
            server, HttpMethod.Post, "/v1/users?domain=acme",
            """{"name":"ada","givenName":"Ada","surname":"Lovelace","mail":"ada@example.org","attributes":{"title":["Countess"]},"password":"correct horse battery"}""",
            HttpStatusCode.Created);
        Assert.Equal(("acme", "ada", true), ((string)made!["domain"]!, (string)made["name"]!, (bool)made["enabled"]!));
        Assert.True((uint)made["uidNumber"]! > 1000);
        Assert.Null(made["password"]);

        var found = await SendAsync(server, HttpMethod.Get, $"/v1/users/{made["id"]}?domain=acme");
        Assert.Equal("Countess", (string)found!["attributes"]!["title"]![0]!);
        var credentials = await SendAsync(server, HttpMethod.Get, "/v1/users/ada/credentials?domain=acme");
        Assert.Equal((true, true), ((bool)credentials!["hasPassword"]!, (bool)credentials["mustChangePassword"]!));

        await SendAsync(server, HttpMethod.Patch, "/v1/users/ada?domain=acme", $$"""{"name":"augusta","mail":"","enabled":false,"revision":{{made["revision"]}}}""");
        var stale = await server.Http.PatchAsync("/v1/users/augusta?domain=acme", ApiServer.Json($$"""{"mail":"x@y.z","revision":{{made["revision"]}}}"""));
        await ApiServer.ProblemAsync(stale, 409, "Conflict");
        found = await SendAsync(server, HttpMethod.Get, "/v1/users/augusta?domain=acme");
        Assert.Equal((false, null, "Lovelace"), ((bool)found!["enabled"]!, (string?)found["mail"], (string)found["surname"]!));
        await ApiServer.ProblemAsync(await server.Http.GetAsync("/v1/users/ada?domain=acme"), 404, "NotFound");
        await SendAsync(server, HttpMethod.Delete, "/v1/users/augusta?domain=acme", null, HttpStatusCode.NoContent);
        await SendAsync(server, HttpMethod.Delete, "/v1/domains/acme", null, HttpStatusCode.NoContent);
    }

    [Theory]
    [InlineData("/v1/users", """{"name":"-rf"}""", 400)]
    [InlineData("/v1/users", """{"name":"ada","password":"short"}""", 400)]
    [InlineData("/v1/users", """{"name":"ADMIN"}""", 409)]
    [InlineData("/v1/users?domain=nowhere", """{"name":"ada"}""", 404)]
    [InlineData("/v1/users", """{"name":"ada","shell":"/bin/sh"}""", 400)]
    [InlineData("/v1/service-accounts", """{"name":"ci","mail":"ci@example.org"}""", 400)]
    [InlineData("/v1/groups", """{"name":"admin"}""", 409)]
    [InlineData("/v1/domains", """{"tenant":"a b"}""", 400)]
    [InlineData("/v1/roles", """{"name":"x","permissions":["container:fly"]}""", 400)]
    [InlineData("/v1/bindings", """{"subject":"user:nobody","role":"viewer"}""", 404)]
    [InlineData("/v1/bindings", """{"subject":"admin","role":"viewer"}""", 400)]
    [InlineData("/v1/bindings", """{"subject":"user:admin","role":"viewer","scope":"tenants"}""", 400)]
    [InlineData("/v1/self/password", """{"login":"admin","password":"wrong","newPassword":"a password of my own"}""", 401)]
    public async Task What_is_wrong_is_refused_with_the_right_status(string target, string body, int status)
    {
        await using var server = await ApiServer.StartAsync();
        var response = await server.Http.PostAsync(target, ApiServer.Json(body));
        await ApiServer.ProblemAsync(response, status, status switch { 400 => "InvalidArgument", 401 => "Unauthenticated", 404 => "NotFound", _ => "AlreadyExists" });
    }

    [Fact]
    public async Task Clients_are_registered_with_a_secret_that_is_shown_once()
    {
        await using var server = await ApiServer.StartAsync();
        await SendAsync(server, HttpMethod.Post, "/v1/service-accounts", """{"name":"ci"}""", HttpStatusCode.Created);
        var made = await SendAsync(
            server, HttpMethod.Post, "/v1/clients",
            """{"name":"app","authentication":"secret","grants":["authorization_code","client_credentials"],"redirectUris":["https://app.example/cb"],"scopes":["openid"],"serviceAccount":"ci"}""",
            HttpStatusCode.Created);
        Assert.Equal(("app@system", 43, "ci@system"), ((string)made!["client"]!["id"]!, ((string)made["secret"]!).Length, (string)made["client"]!["serviceAccount"]!));
        var rotated = await SendAsync(server, HttpMethod.Post, "/v1/clients/app/secret", """{"keepSeconds":60}""");
        Assert.NotEqual((string)made["secret"]!, (string)rotated!["secret"]!);
        Assert.Equal(2, (int)rotated["client"]!["secretCount"]!);
        Assert.Equal("app@system", (string)(await SendAsync(server, HttpMethod.Get, "/v1/clients"))![0]!["id"]!);
        var shown = (await SendAsync(server, HttpMethod.Get, "/v1/clients/app"))!.ToJsonString();
        Assert.DoesNotContain((string)rotated["secret"]!, shown, StringComparison.Ordinal);
        await ApiServer.ProblemAsync(await server.Http.PostAsync("/v1/clients", ApiServer.Json("""{"name":"app","authentication":"secret","grants":["client_credentials"]}""")), 409, "AlreadyExists");
        foreach (var body in new[]
        {
            """{"name":"x","authentication":"guess","grants":["client_credentials"]}""",
            """{"name":"x","authentication":"secret","grants":["password"]}""",
            """{"name":"x","authentication":"none","grants":["client_credentials"]}""",
            """{"name":"x","authentication":"secret","grants":["authorization_code"]}""",
            """{"name":"x","authentication":"secret","grants":["authorization_code"],"redirectUris":["http://app.example/cb"]}""",
            """{"name":"x","authentication":"private-key-jwt","grants":["client_credentials"],"jwks":"{}"}""",
            """{"name":"../x","authentication":"secret","grants":["client_credentials"]}""",
        })
            await ApiServer.ProblemAsync(await server.Http.PostAsync("/v1/clients", ApiServer.Json(body)), 400, "InvalidArgument");
        await SendAsync(server, HttpMethod.Delete, "/v1/clients/app", null, HttpStatusCode.NoContent);
        await ApiServer.ProblemAsync(await server.Http.GetAsync("/v1/clients/app"), 404, "NotFound");
    }

    [Fact]
    public async Task Groups_hold_members_and_bindings_let_them_in()
    {
        await using var server = await ApiServer.StartAsync();
        await SendAsync(server, HttpMethod.Post, "/v1/domains", """{"tenant":"acme"}""", HttpStatusCode.Created);
        await SendAsync(server, HttpMethod.Post, "/v1/users?domain=acme", """{"name":"ada"}""", HttpStatusCode.Created);
        await SendAsync(server, HttpMethod.Post, "/v1/groups?domain=acme", """{"name":"developers","description":"build things"}""", HttpStatusCode.Created);
        await SendAsync(server, HttpMethod.Put, "/v1/groups/developers/members/user:ada?domain=acme", null, HttpStatusCode.NoContent);
        Assert.Equal(HttpStatusCode.NotModified, (await server.Http.PutAsync("/v1/groups/developers/members/user:ada?domain=acme", null)).StatusCode);
        Assert.Equal("user:ada@acme", (string)(await SendAsync(server, HttpMethod.Get, "/v1/groups/developers/members?domain=acme"))![0]!["subject"]!);
        Assert.Equal("developers", (string)(await SendAsync(server, HttpMethod.Get, "/v1/users/ada?domain=acme"))!["groups"]![0]!);

        const string Question = "/v1/can-i?permission=container:create&scope=/tenants/acme/projects/web&subject=user:ada@acme";
        Assert.False((bool)(await SendAsync(server, HttpMethod.Get, Question))!["allowed"]!);
        var binding = await SendAsync(
            server, HttpMethod.Post, "/v1/bindings", """{"subject":"group:developers@acme","role":"developer","scope":"/tenants/acme/projects/web"}""", HttpStatusCode.Created);
        var decision = await SendAsync(server, HttpMethod.Get, Question);
        Assert.Equal((true, "developer", "developers", (string)binding!["id"]!), ((bool)decision!["allowed"]!, (string)decision["role"]!, (string)decision["group"]!, (string)decision["bindingId"]!));
        var bindings = await SendAsync(server, HttpMethod.Get, "/v1/bindings?scope=/tenants/acme");
        Assert.Equal("group:developers@acme", (string)Assert.Single(bindings!.AsArray())!["subject"]!);
        await SendAsync(server, HttpMethod.Delete, $"/v1/bindings/{binding["id"]}", null, HttpStatusCode.NoContent);
        Assert.False((bool)(await SendAsync(server, HttpMethod.Get, Question))!["allowed"]!);
        Assert.True((bool)(await SendAsync(server, HttpMethod.Get, "/v1/can-i?permission=system:update"))!["allowed"]!);
    }

    [Fact]
    public async Task Lists_go_page_by_page()
    {
        await using var server = await ApiServer.StartAsync();
        for (int i = 0; i < 5; i++)
            await SendAsync(server, HttpMethod.Post, "/v1/groups", $$"""{"name":"g{{i}}"}""", HttpStatusCode.Created);
        var page = await SendAsync(server, HttpMethod.Get, "/v1/groups?limit=2&after=g1");
        Assert.Equal(["g2", "g3"], page!.AsArray().Select(group => (string)group!["name"]!));
        await ApiServer.ProblemAsync(await server.Http.GetAsync("/v1/groups?limit=0"), 400, "InvalidArgument");
    }

    [Fact]
    public async Task A_domain_goes_out_and_comes_in_as_ldif()
    {
        await using var server = await ApiServer.StartAsync();
        await SendAsync(server, HttpMethod.Post, "/v1/domains", """{"tenant":"acme"}""", HttpStatusCode.Created);
        var file = new StringContent("dn: uid=ada\nobjectClass: inetOrgPerson\nuid: ada\nsn: Lovelace\n\ndn: cn=all\nobjectClass: groupOfNames\nmember: uid=ada\n", Encoding.UTF8, "text/x-ldif");
        var response = await server.Http.PostAsync("/v1/domains/acme/ldif", file);
        var report = await response.Content.ReadFromJsonAsync<JsonNode>();
        Assert.Equal((2, 1, 0), ((int)report!["createdCount"]!, (int)report["membershipCount"]!, report["problems"]!.AsArray().Count));
        response = await server.Http.GetAsync("/v1/domains/acme/ldif");
        Assert.Equal("text/x-ldif", response.Content.Headers.ContentType?.MediaType);
        Assert.Contains("dn: uid=ada,ou=people,dc=acme\n", await response.Content.ReadAsStringAsync(), StringComparison.Ordinal);
        await ApiServer.ProblemAsync(await server.Http.GetAsync("/v1/domains/nowhere/ldif"), 404, "NotFound");
        await ApiServer.ProblemAsync(await server.Http.PostAsync("/v1/domains/acme/ldif", new StringContent("broken")), 400, "InvalidArgument");
    }

    [Fact]
    public async Task The_initial_administrator_chooses_a_password_and_a_second_factor()
    {
        await using var server = await ApiServer.StartAsync();
        var initial = server.Identity.AdministratorPassword;
        await SendAsync(server, HttpMethod.Post, "/v1/self/password", $$"""{"login":"admin","password":"{{initial}}","newPassword":"a password of my own"}""", HttpStatusCode.NoContent);
        const string Login = "\"login\":\"admin@system\",\"password\":\"a password of my own\"";
        var key = await SendAsync(server, HttpMethod.Post, "/v1/self/second-factor", $"{{{Login}}}");
        Assert.Contains("otpauth://totp/Candela:admin%40system", (string)key!["uri"]!, StringComparison.Ordinal);
        await ApiServer.ProblemAsync(await server.Http.PostAsync("/v1/self/second-factor/confirm", ApiServer.Json($"{{{Login},\"code\":\"no\"}}")), 400, "InvalidArgument");
        var codes = await SendAsync(server, HttpMethod.Post, "/v1/self/second-factor/confirm", $"{{{Login},\"code\":\"{OneTimeCode.Of((string)key["secret"]!)}\"}}");
        Assert.Equal(10, codes!["codes"]!.AsArray().Count);
        await ApiServer.ProblemAsync(
            await server.Http.PostAsync("/v1/self/password", ApiServer.Json($"{{{Login},\"newPassword\":\"yet another password\"}}")), 401, "Unauthenticated");
        codes = await SendAsync(server, HttpMethod.Post, "/v1/self/recovery-codes", $"{{{Login},\"code\":\"{codes["codes"]![0]}\"}}");
        await SendAsync(
            server, HttpMethod.Post, "/v1/self/password", $"{{{Login},\"code\":\"{codes!["codes"]![0]}\",\"newPassword\":\"yet another password\"}}", HttpStatusCode.NoContent);
    }

    private static async Task<JsonNode?> SendAsync(ApiServer server, HttpMethod method, string target, string? body = null, HttpStatusCode status = HttpStatusCode.OK)
    {
        using var request = new HttpRequestMessage(method, target) { Content = body is null ? null : ApiServer.Json(body) };
        using var response = await server.Http.SendAsync(request);
        var text = await response.Content.ReadAsStringAsync();
        Assert.True(response.StatusCode == status, $"{method} {target}: {(int)response.StatusCode} {text}");
        return text.Length > 0 ? JsonNode.Parse(text) : null;
    }
}
