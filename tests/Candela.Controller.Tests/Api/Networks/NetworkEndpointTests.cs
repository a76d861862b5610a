using System.Net;
using System.Net.Http.Json;
using System.Text.Json.Nodes;
using Candela.Identity.Accounts;
using Candela.Identity.Administration;
using Candela.Identity.Authorization;
using Candela.Model;
using Microsoft.Extensions.DependencyInjection;

namespace Candela.Controller.Tests.Api.Networks;

/// <summary>Segments, groups, policies and flows over REST.</summary>
public sealed class NetworkEndpointTests
{
    private const string Policy = """{"name":"no-web","direction":"Ingress","action":"Deny","subjects":[{"group":"db"}],"peers":[{"cidr":"10.0.0.0/8","except":["10.1.0.0/16"]}],"services":[{"protocol":"Tcp","firstPort":5432}]}""";

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_segment_lives()
    {
        await using var server = await ApiServer.StartAsync();
        var made = await server.Http.PostAsync("/v1/segments", ApiServer.Json("""{"name":"front","ipv4Subnet":"172.30.0.0/16","labels":{"a":"b"}}"""), Token);
        Assert.Equal(HttpStatusCode.Created, made.StatusCode);
        var id = (string)(await made.Content.ReadFromJsonAsync<JsonNode>(Token))!["id"]!;
        Assert.Equal($"/v1/segments/{id}", made.Headers.Location?.ToString());
        Assert.Equal("172.30.0.1", (string)(await server.Http.GetFromJsonAsync<JsonNode>("/v1/segments/front", Token))!["ipv4Gateway"]!);
        await ApiServer.ProblemAsync(await server.Http.PostAsync("/v1/segments", ApiServer.Json("""{"name":"front"}"""), Token), 409, "AlreadyExists");
        await ApiServer.ProblemAsync(await server.Http.PostAsync("/v1/segments", ApiServer.Json("""{"name":"x","nonsense":1}"""), Token), 400, "InvalidArgument");
        await ApiServer.ProblemAsync(await server.Http.PatchAsync("/v1/segments/front", ApiServer.Json("""{"routes":["front"]}"""), Token), 400, "InvalidArgument");
        var changed = await server.Http.PatchAsync("/v1/segments/front", ApiServer.Json("""{"routes":["bridge"],"ingressBytesPerSecond":5000}"""), Token);
        Assert.Equal(5000, (long)(await changed.Content.ReadFromJsonAsync<JsonNode>(Token))!["ingressBytesPerSecond"]!);
        Assert.Equal(HttpStatusCode.NoContent, (await server.Http.DeleteAsync("/v1/segments/front", Token)).StatusCode);
        await ApiServer.ProblemAsync(await server.Http.GetAsync("/v1/segments/front", Token), 404, "NotFound");
    }

    [Fact]
    public async Task A_policy_lives()
    {
        await using var server = await ApiServer.StartAsync();
        await ApiServer.ProblemAsync(await server.Http.PostAsync("/v1/network-policies", ApiServer.Json(Policy), Token), 404, "NotFound");
        Assert.Equal(HttpStatusCode.Created, (await server.Http.PostAsync("/v1/security-groups", ApiServer.Json("""{"name":"db","labels":{"tier":"db"}}"""), Token)).StatusCode);
        Assert.Equal(HttpStatusCode.Created, (await server.Http.PostAsync("/v1/network-policies", ApiServer.Json(Policy), Token)).StatusCode);
        await ApiServer.ProblemAsync(await server.Http.PostAsync("/v1/network-policies", ApiServer.Json(Policy), Token), 409, "AlreadyExists");
        await ApiServer.ProblemAsync(await server.Http.PutAsync("/v1/network-policies/another", ApiServer.Json(Policy), Token), 400, "InvalidArgument");
        await ApiServer.ProblemAsync(await server.Http.PostAsync("/v1/network-policies", ApiServer.Json(Policy.Replace("no-web", "No Web", StringComparison.Ordinal)), Token), 400, "InvalidArgument");
        await ApiServer.ProblemAsync(await server.Http.PostAsync("/v1/network-policies", ApiServer.Json(Policy.Replace("Ingress", "Sideways", StringComparison.Ordinal)), Token), 400, "InvalidArgument");
        var replaced = await server.Http.PutAsync("/v1/network-policies/no-web", ApiServer.Json(Policy.Replace("\"Deny\"", "\"Allow\",\"revision\":1", StringComparison.Ordinal)), Token);
        Assert.Equal(2, (int)(await replaced.Content.ReadFromJsonAsync<JsonNode>(Token))!["revision"]!);
        Assert.Single((await server.Http.GetFromJsonAsync<JsonArray>("/v1/network-policies", Token))!);
        await ApiServer.ProblemAsync(await server.Http.DeleteAsync("/v1/security-groups/db", Token), 409, "Conflict");
        Assert.Equal(HttpStatusCode.NoContent, (await server.Http.DeleteAsync("/v1/network-policies/no-web", Token)).StatusCode);
        Assert.Equal(HttpStatusCode.NoContent, (await server.Http.DeleteAsync("/v1/security-groups/db", Token)).StatusCode);
        Assert.Equal(HttpStatusCode.OK, (await server.Http.PutAsync("/v1/networking", ApiServer.Json("""{"default":"Closed"}"""), Token)).StatusCode);
        await ApiServer.ProblemAsync(await server.Http.GetAsync("/v1/flows?limit=0", Token), 400, "InvalidArgument");
        await ApiServer.ProblemAsync(await server.Http.GetAsync("/v1/flows?container=nobody", Token), 404, "NotFound");
    }

    [Fact]
    public async Task An_account_needs_a_role_for_it()
    {
        await using var server = await ApiServer.StartAsync();
        var directory = server.Services.GetRequiredService<DirectoryAdministration>();
        var root = Actor.Local("root", 0);
        await directory.CreateAsync(root, Domain.SystemName, id => new ServiceAccount { DomainId = id, Name = "ci" }, null, false, Token);
        var accounts = server.Services.GetRequiredService<IDirectory>().Current;
        var domain = accounts.FindDomain(Domain.SystemName)!;
        var account = accounts.Find(domain.Id, EntryKind.ServiceAccount, "ci")!;
        var actor = Actor.Of(account, domain, "10.0.0.1");
        var guard = server.Services.GetRequiredService<AccessGuard>();

        var denied = await Assert.ThrowsAsync<CandelaException>(() => guard.RequireAsync(actor, ResourceKind.NetworkPolicy, Verb.Create, ResourceScope.Project("default", "default"), Token));
        Assert.Equal(ErrorCode.PermissionDenied, denied.Code);
        Assert.Contains("network-policy:create", denied.Message, StringComparison.Ordinal);
        await guard.RequireAsync(root, ResourceKind.NetworkPolicy, Verb.Create, ResourceScope.Project("default", "default"), Token);

        await server.Services.GetRequiredService<PolicyAdministration>().CreateBindingAsync(root, Subject.Entry(account.Id), "project-admin", ResourceScope.Project("default", "default"), Token);
        await guard.RequireAsync(actor, ResourceKind.NetworkPolicy, Verb.Create, ResourceScope.Project("default", "default"), Token);
        await Assert.ThrowsAsync<CandelaException>(() => guard.RequireAsync(actor, ResourceKind.NetworkPolicy, Verb.Create, ResourceScope.Project("default", "another"), Token));
    }
}
