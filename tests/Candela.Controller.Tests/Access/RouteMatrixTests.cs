using System.Net;
using System.Text;
using System.Text.Json.Nodes;
using Candela.Controller.Api.Access;
using Candela.Identity.Authorization;
using Microsoft.AspNetCore.Routing;

namespace Candela.Controller.Tests.Access;

/// <summary>
/// Every route of every front end, found in the servers themselves: none without a declared permission, none open to an account without
/// rights, and the declared permission (with what a viewer may) lets through.
/// </summary>
public sealed class RouteMatrixTests
{
    private const string Anything = "nothing";

    /// <summary>What a request must have to come as far as the question who may.</summary>
    private static readonly Dictionary<string, (string Query, string Body)> Requests = new()
    {
        ["POST /v1/containers"] = ("", """{"spec":{"image":"base"}}"""),
        ["POST /v1/containers/{reference}/rename"] = ("name=other", """{"name":"other"}"""),
        ["POST /v1/containers/{reference}/fork"] = ("", """{"count":1}"""),
        ["POST /v1/containers/{reference}/exec"] = ("", """{"arguments":["true"]}"""),
        ["POST /v1/execs/{id}/start"] = ("", """{"detach":true}"""),
        ["GET /v1/containers/{reference}/archive"] = ("path=/", ""),
        ["PUT /v1/containers/{reference}/archive"] = ("path=/", "x"),
        ["GET /v1/containers/{reference}/files"] = ("path=/", ""),
        ["POST /v1/images/pull"] = ("", """{"reference":"base"}"""),
        ["POST /v1/images/load"] = ("", "x"),
        ["POST /v1/images/import"] = ("", "x"),
        ["POST /v1/images/{reference}/tag"] = ("", """{"target":"other:1"}"""),
        ["POST /v1/parents"] = ("", """{"vCpus":1,"memoryBytes":268435456}"""),
        ["POST /v1/domains"] = ("", """{"tenant":"acme"}"""),
        ["PATCH /v1/domains/{domain}"] = ("", "{}"),
        ["POST /v1/domains/{domain}/ldif"] = ("", "version: 1\n"),
        ["POST /v1/users"] = ("", """{"name":"made"}"""),
        ["PATCH /v1/users/{reference}"] = ("", "{}"),
        ["PUT /v1/users/{reference}/password"] = ("", """{"password":"a long enough password"}"""),
        ["POST /v1/service-accounts"] = ("", """{"name":"made"}"""),
        ["PATCH /v1/service-accounts/{reference}"] = ("", "{}"),
        ["PUT /v1/service-accounts/{reference}/password"] = ("", """{"password":"a long enough password"}"""),
        ["POST /v1/groups"] = ("", """{"name":"made"}"""),
        ["PATCH /v1/groups/{reference}"] = ("", "{}"),
        ["POST /v1/roles"] = ("", """{"name":"made","permissions":[]}"""),
        ["PATCH /v1/roles/{name}"] = ("", "{}"),
        ["POST /v1/bindings"] = ("", """{"subject":"user:nobody","role":"viewer"}"""),
        ["POST /v1/clients"] = ("", """{"name":"made","authentication":"secret","grants":["client_credentials"]}"""),
        ["POST /v1/clients/{name}/secret"] = ("", """{"keepSeconds":0}"""),
        ["POST /v1/segments"] = ("", """{"name":"made"}"""),
        ["PATCH /v1/segments/{reference}"] = ("", "{}"),
        ["POST /v1/security-groups"] = ("", """{"name":"nothing","labels":{"a":"b"}}"""),
        ["PUT /v1/security-groups/{name}"] = ("", """{"name":"nothing","labels":{"a":"b"}}"""),
        ["POST /v1/network-policies"] = ("", """{"name":"nothing","direction":"Ingress","action":"Deny"}"""),
        ["PUT /v1/network-policies/{name}"] = ("", """{"name":"nothing","direction":"Ingress","action":"Deny"}"""),
        ["PUT /v1/networking"] = ("", """{"default":"Closed"}"""),
        ["POST /v1/identity-providers"] = ("", """{"name":"made","issuer":"https://login.example","clientId":"candela","secret":"s"}"""),
        ["PATCH /v1/identity-providers/{name}"] = ("", "{}"),
        ["POST /v1/identity-providers/{name}/links"] = ("", """{"user":"admin","subject":"1"}"""),
        ["DELETE /v1/identity-providers/{name}/links"] = ("subject=1", ""),
        ["POST /v1/kerberos/keytabs"] = ("", """{"account":"local@system","services":[]}"""),
        ["POST /v1/certificates"] = ("", """{"owner":"user:admin@system","request":"-----BEGIN CERTIFICATE REQUEST-----\nMAA=\n-----END CERTIFICATE REQUEST-----\n"}"""),
        ["POST /containers/create"] = ("", """{"Image":"base","HostConfig":{"NetworkMode":"none"}}"""),
        ["POST /containers/{name}/rename"] = ("name=other", ""),
        ["POST /containers/{name}/update"] = ("", "{}"),
        ["POST /containers/{name}/resize"] = ("h=1&w=1", ""),
        ["GET /containers/{name}/archive"] = ("path=/", ""),
        ["HEAD /containers/{name}/archive"] = ("path=/", ""),
        ["PUT /containers/{name}/archive"] = ("path=/", "x"),
        ["POST /containers/{name}/exec"] = ("", """{"Cmd":["true"]}"""),
        ["POST /exec/{name}/start"] = ("", """{"Detach":true}"""),
        ["POST /exec/{name}/resize"] = ("h=1&w=1", ""),
        ["GET /containers/{name}/logs"] = ("stdout=1", ""),
        ["POST /images/create"] = ("fromImage=base&tag=1", ""),
        ["GET /images/get"] = ("names=base", ""),
        ["POST /images/load"] = ("", "x"),
        ["POST /images/{**name}"] = ("repo=other&tag=1", ""),
        ["POST /commit"] = ("container=box", "{}"),
        ["POST /networks/create"] = ("", """{"Name":"made"}"""),
        ["POST /volumes/create"] = ("", """{"Name":"made"}"""),
    };

    /// <summary>Routes that do more than one thing, and what for.</summary>
    private static readonly Dictionary<string, string[]> More = new()
    {
        ["POST /v1/containers/{reference}/fork"] = ["container:create"],
        ["POST /commit"] = ["container:execute"],
        ["GET /system/df"] = ["volume:list"],
        ["GET /v1/domains/{domain}/ldif"] = ["user:get", "group:get", "service-account:get", "machine:get"],
        ["POST /v1/domains/{domain}/ldif"] = ["domain:get", "group:update"],
        ["POST /v1/bindings"] = ["*:*"],
        ["PATCH /v1/roles/{name}"] = ["*:*"],
    };

    /// <summary>Lists and maps that bodies may have besides.</summary>
    private static readonly Dictionary<string, string[]> Lists = new()
    {
        ["POST /v1/clients"] = ["redirectUris", "postLogoutRedirectUris", "scopes", "audiences"],
        ["POST /v1/identity-providers"] = ["scopes", "authorities", "requiredGroups", "groups", "attributes"],
        ["PATCH /v1/users/{reference}"] = ["attributes"],
    };

    [Fact]
    public async Task No_route_is_without_a_declared_permission()
    {
        await using var host = await GuardedHost.StartAsync();
        Assert.All(host.Routes, route => Assert.True(route.Endpoint.Metadata.GetMetadata<RouteAccess>() is not null, $"{route.Endpoint.RoutePattern.RawText} declares nothing"));
        Assert.InRange(host.Routes.Count(), 150, 1000);
    }

    [Fact]
    public async Task An_account_without_rights_gets_nowhere_and_every_refusal_is_kept()
    {
        await using var host = await GuardedHost.StartAsync();
        await host.AddUserAsync("nobody");
        var wrong = new List<string>();
        foreach (var (method, pattern, access, isDocker) in Guarded(host))
        {
            var status = await SendAsync(host, "nobody", method, pattern, isDocker);
            if (status != HttpStatusCode.Forbidden)
                wrong.Add($"{method} {pattern}: {(int)status}");
        }

        Assert.True(wrong.Count == 0, string.Join('\n', wrong));
        var refused = host.AuditLog.Split('\n').Count(line => line.Contains("\"PermissionDenied\"", StringComparison.Ordinal) && line.Contains("nobody@system", StringComparison.Ordinal) && line.Contains("192.0.2.1", StringComparison.Ordinal));
        Assert.InRange(refused, Guarded(host).Count(), 10_000);
    }

    [Fact]
    public async Task The_declared_permission_lets_through_and_its_loss_shuts_out()
    {
        await using var host = await GuardedHost.StartAsync();
        var user = await host.AddUserAsync("one");
        var wrong = new List<string>();
        foreach (var (method, pattern, access, isDocker) in Guarded(host))
        {
            var permissions = new[] { $"{access.Permission}", "container:get", "container:list", "image:get", "image:list", "segment:get", "segment:list" }.Concat(More.GetValueOrDefault($"{method} {pattern}", []));
            var role = await host.Policy.CreateRoleAsync(new Role { Name = "just", Permissions = [.. permissions.Distinct()] }, CancellationToken.None);
            var binding = await host.Policy.BindAsync(new RoleBinding { Subject = Subject.Entry(user.Id), RoleId = role.Id, Scope = ResourceScope.System }, CancellationToken.None);
            var allowed = await SendAsync(host, "one", method, pattern, isDocker);
            await host.Policy.UnbindAsync(binding.Id, CancellationToken.None);
            await host.Policy.DeleteRoleAsync(role.Id, CancellationToken.None);
            if (allowed is HttpStatusCode.Forbidden or HttpStatusCode.Unauthorized)
                wrong.Add($"{method} {pattern}: {(int)allowed} with {access.Permission}");
        }

        Assert.True(wrong.Count == 0, string.Join('\n', wrong));
        Assert.Equal(HttpStatusCode.Forbidden, await SendAsync(host, "one", "GET", "/containers/json", isDocker: true));
    }

    [Fact]
    public async Task Rights_to_one_container_are_rights_to_that_one_only()
    {
        await using var host = await GuardedHost.StartAsync();
        var user = await host.AddUserAsync("one");
        using var root = host.Client(docker: true, actor: null);
        foreach (var name in new[] { "mine", "theirs" })
            (await root.PostAsync($"/containers/create?name={name}", Json("""{"Image":"base","HostConfig":{"NetworkMode":"none"}}"""))).EnsureSuccessStatusCode();
        var mine = (await host.Service<IContainerService>().GetAsync(new Caller(0, "root", "default"), "mine", CancellationToken.None)).Id;
        await host.Policy.BindAsync(
            new RoleBinding
            {
                Subject = Subject.Entry(user.Id), RoleId = BuiltInRoles.Developer.Id, Scope = ResourceScope.Project("default", "default").Resource(ResourceKind.Container, mine),
            },
            CancellationToken.None);
        // docker ps names the containers' images.
        var images = await host.Policy.CreateRoleAsync(new Role { Name = "images", Permissions = ["image:list"] }, CancellationToken.None);
        await host.Policy.BindAsync(new RoleBinding { Subject = Subject.Entry(user.Id), RoleId = images.Id, Scope = ResourceScope.Project("default", "default") }, CancellationToken.None);
        using var one = host.Client(docker: true, "one");
        Assert.Equal(HttpStatusCode.NoContent, (await one.PostAsync("/containers/mine/start", null)).StatusCode);
        Assert.Equal(HttpStatusCode.Forbidden, (await one.PostAsync("/containers/theirs/start", null)).StatusCode);
        Assert.Equal(HttpStatusCode.Forbidden, (await one.GetAsync("/containers/absent/json")).StatusCode);
        var listed = await one.GetStringAsync("/containers/json?all=1");
        Assert.Contains("/mine", listed, StringComparison.Ordinal);
        Assert.DoesNotContain("/theirs", listed, StringComparison.Ordinal);
        Assert.Equal(HttpStatusCode.Forbidden, (await one.PostAsync("/containers/create", Json("""{"Image":"base"}"""))).StatusCode);
    }

    /// <summary>Whatever is left out of a body, or is null, or of another kind: the answer says what is wrong, or does without.</summary>
    [Fact]
    public async Task No_absent_member_is_an_internal_error()
    {
        await using var host = await GuardedHost.StartAsync();
        var wrong = new List<string>();
        foreach (var (method, pattern, _, isDocker) in Guarded(host).Where(route => !route.IsDocker && !route.Pattern.StartsWith("/v1/certificates", StringComparison.Ordinal) && (route.Method is "POST" or "PUT" or "PATCH")))
        {
            var body = Requests.GetValueOrDefault($"{method} {pattern}").Body is { Length: > 0 } known && known[0] == '{' ? known : "{}";
            var members = JsonNode.Parse(body)!.AsObject().Select(member => member.Key).ToArray();
            string Without(string name) => Changed(body, json => json.Remove(name));
            string With(string name, JsonNode? value) => Changed(body, json => json[name] = value);
            if (Lists.TryGetValue($"{method} {pattern}", out var lists))
            {
                body = Changed(body, json =>
                {
                    foreach (var list in lists)
                        json[list] = new JsonArray();
                });
                members = [.. members.Union(lists)];
            }

            foreach (var sent in members.SelectMany(name => new[] { Without(name), With(name, null), With(name, new JsonArray()), With(name, new JsonObject()), With(name, new JsonArray((JsonNode?)null)), With(name, new JsonObject { ["a"] = null }), With(name, ""), With(name, 0) })
                .Concat(["{}", "null", "[]", "\"\"", "0"]).Distinct())
            {
                var status = await SendAsync(host, null, method, pattern, isDocker, sent);
                if (status is HttpStatusCode.InternalServerError)
                    wrong.Add($"{method} {pattern} {sent}");
            }
        }

        Assert.True(wrong.Count == 0, string.Join('\n', wrong));
    }

    private static string Changed(string body, Action<JsonObject> change)
    {
        var json = JsonNode.Parse(body)!.AsObject();
        change(json);
        return json.ToJsonString();
    }

    private static IEnumerable<(string Method, string Pattern, RouteAccess Access, bool IsDocker)> Guarded(GuardedHost host) =>
        from route in host.Routes
        let access = route.Endpoint.Metadata.GetMetadata<RouteAccess>()!
        let pattern = route.Endpoint.RoutePattern.RawText!
        where access.Permission is not null && !pattern.StartsWith("/v{apiVersion}", StringComparison.Ordinal)
        where !pattern.StartsWith("/v1/saml", StringComparison.Ordinal) // not there without the front door
        from method in route.Endpoint.Metadata.GetMetadata<IHttpMethodMetadata>()!.HttpMethods
        select (method, pattern.TrimEnd('/'), access, route.IsDocker);

    private static async Task<HttpStatusCode> SendAsync(GuardedHost host, string? actor, string method, string pattern, bool isDocker, string? sent = null)
    {
        var (query, body) = Requests.GetValueOrDefault($"{method} {pattern}", ("", ""));
        var path = pattern;
        if (pattern.StartsWith("/v1/bindings/", StringComparison.Ordinal))
            path = $"/v1/bindings/{Guid.Empty}";
        path = path.Replace("/v1/domains/{domain}", "/v1/domains/system", StringComparison.Ordinal).Replace("/v1/users/{reference}", "/v1/users/admin", StringComparison.Ordinal)
            .Replace("/v1/service-accounts/{reference}", "/v1/service-accounts/local", StringComparison.Ordinal).Replace("{member}", "user:admin", StringComparison.Ordinal).Replace("/v1/roles/{name}", "/v1/roles/viewer", StringComparison.Ordinal);
        if (method == "POST" && pattern == "/images/{**name}")
            path = "/images/base/tag";
        if (method == "GET" && pattern == "/images/{**name}")
            path = "/images/base/json";
        foreach (var parameter in new[] { "{reference}", "{name}", "{key}", "{id}", "{serial}", "{service}", "{host}", "{**name}" })
            path = path.Replace(parameter, Anything, StringComparison.Ordinal);
        using var client = host.Client(isDocker, actor);
        using var request = new HttpRequestMessage(new HttpMethod(method), query.Length > 0 ? $"{path}?{query}" : path);
        if (pattern.EndsWith("/attach", StringComparison.Ordinal))
        {
            request.Headers.Add("Connection", "Upgrade");
            request.Headers.Add("Upgrade", isDocker ? "tcp" : "candela-stream");
        }

        if (sent is not null)
            request.Content = Json(sent);
        else if (body.Length > 0)
            request.Content = body[0] == '{' ? Json(body) : new StringContent(body, Encoding.UTF8, pattern.EndsWith("/ldif", StringComparison.Ordinal) ? "text/x-ldif" : "application/x-tar");
        using var response = await client.SendAsync(request, HttpCompletionOption.ResponseHeadersRead);
        return response.StatusCode;
    }

    private static StringContent Json(string text) => new(text, Encoding.UTF8, "application/json");
}
