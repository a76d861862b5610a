using System.Net.Http.Json;
using System.Reflection;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using Candela.Cli.Api;

namespace Candela.Controller.Tests.Api;

public sealed partial class DocumentTests
{
    /// <summary>What the command line calls: method and path.</summary>
    private static readonly (string Method, string Path)[] Calls =
    [
        ("GET", Routes.Status),
        ("GET", Routes.Containers),
        ("POST", Routes.Containers),
        ("GET", Routes.Container("a")),
        ("DELETE", Routes.Container("a")),
        .. ((string[])["start", "stop", "restart", "kill", "pause", "unpause", "rename", "wait", "fork", "exec", "attach"]).Select(action => ("POST", Routes.Container("a", action))),
        .. ((string[])["logs", "stats", "processes"]).Select(action => ("GET", Routes.Container("a", action))),
        ("POST", Routes.Exec("a", "start")),
        ("GET", Routes.Images),
        ("GET", Routes.Image("a/b:c")),
        ("DELETE", Routes.Image("a/b:c")),
        ("POST", Routes.Image("a/b:c", "tag")),
        .. ((string[])["pull", "load", "import", "prune"]).Select(action => ("POST", $"{Routes.Images}/{action}")),
        ("GET", Routes.Machine),
        ("GET", Routes.Parents),
        ("POST", Routes.Parents),
        ("DELETE", Routes.Parent("a")),
        ("GET", IdentityRoutes.Domains),
        ("POST", IdentityRoutes.Domains),
        .. ((string[])["GET", "PATCH", "DELETE"]).Select(method => (method, IdentityRoutes.Domain("a"))),
        .. ((string[])["GET", "POST"]).Select(method => (method, IdentityRoutes.Domain("a", "ldif"))),
        .. ((string[])[IdentityRoutes.Users, IdentityRoutes.ServiceAccounts]).SelectMany(collection => ((string, string)[])
        [
            ("GET", collection),
            ("POST", collection),
            ("GET", IdentityRoutes.Entry(collection, "a")),
            ("PATCH", IdentityRoutes.Entry(collection, "a")),
            ("DELETE", IdentityRoutes.Entry(collection, "a")),
            ("GET", IdentityRoutes.Entry(collection, "a", "credentials")),
            ("PUT", IdentityRoutes.Entry(collection, "a", "password")),
            ("POST", IdentityRoutes.Entry(collection, "a", "unlock")),
            ("DELETE", IdentityRoutes.Entry(collection, "a", "second-factor")),
        ]),
        ("GET", IdentityRoutes.Groups),
        ("POST", IdentityRoutes.Groups),
        .. ((string[])["GET", "PATCH", "DELETE"]).Select(method => (method, IdentityRoutes.Entry(IdentityRoutes.Groups, "a"))),
        ("GET", IdentityRoutes.Entry(IdentityRoutes.Groups, "a", "members")),
        .. ((string[])["PUT", "DELETE"]).Select(method => (method, IdentityRoutes.Entry(IdentityRoutes.Groups, "a", "members/user%3Aada"))),
        ("GET", IdentityRoutes.Clients),
        ("POST", IdentityRoutes.Clients),
        .. ((string[])["GET", "DELETE"]).Select(method => (method, IdentityRoutes.Entry(IdentityRoutes.Clients, "a"))),
        ("POST", IdentityRoutes.Entry(IdentityRoutes.Clients, "a", "secret")),
        ("GET", IdentityRoutes.SamlProviders),
        ("POST", IdentityRoutes.SamlProviders),
        .. ((string[])["GET", "PATCH", "DELETE"]).Select(method => (method, IdentityRoutes.SamlProvider("a"))),
        ("GET", IdentityRoutes.IdentityProviders),
        ("POST", IdentityRoutes.IdentityProviders),
        .. ((string[])["GET", "PATCH", "DELETE"]).Select(method => (method, IdentityRoutes.IdentityProvider("a"))),
        .. ((string[])["GET", "POST", "DELETE"]).Select(method => (method, IdentityRoutes.IdentityLinks("a"))),
        ("GET", IdentityRoutes.SamlKeys),
        ("POST", IdentityRoutes.SamlKeys + "/rotate"),
        ("GET", IdentityRoutes.Roles),
        ("POST", IdentityRoutes.Roles),
        .. ((string[])["GET", "PATCH", "DELETE"]).Select(method => (method, IdentityRoutes.Role("a", null))),
        ("GET", IdentityRoutes.Bindings),
        ("POST", IdentityRoutes.Bindings),
        ("DELETE", IdentityRoutes.Binding("a")),
        ("GET", IdentityRoutes.CanI),
        ("GET", IdentityRoutes.WhoAmI),
        ("GET", IdentityRoutes.Roots),
        ("GET", IdentityRoutes.Certificates),
        ("POST", IdentityRoutes.Certificates),
        ("DELETE", IdentityRoutes.Certificates + "/a"),
        ("GET", IdentityRoutes.KerberosServices),
        ("DELETE", IdentityRoutes.KerberosService("HTTP/a")),
        ("POST", IdentityRoutes.Keytabs),
        .. ((string[])[IdentityRoutes.OwnPassword, IdentityRoutes.OwnSecondFactor, IdentityRoutes.OwnSecondFactorConfirm, IdentityRoutes.OwnRecoveryCodes]).Select(target => ("POST", target)),
        .. ((string[])[NetworkRoutes.Segments, NetworkRoutes.SecurityGroups, NetworkRoutes.NetworkPolicies]).SelectMany(collection => ((string, string)[])[("GET", collection), ("POST", collection)]),
        .. ((string[])["GET", "PATCH", "DELETE"]).Select(method => (method, NetworkRoutes.Segment("a"))),
        .. ((string[])["GET", "PUT", "DELETE"]).SelectMany(method => ((string, string)[])[(method, NetworkRoutes.SecurityGroup("a")), (method, NetworkRoutes.NetworkPolicy("a"))]),
        ("GET", NetworkRoutes.SecurityGroup("a", "members")),
        ("GET", NetworkRoutes.Networking),
        ("PUT", NetworkRoutes.Networking),
        ("GET", NetworkRoutes.Flows),
        ("GET", NetworkRoutes.FlowCounters),
        ("GET", Routes.Tasks),
        ("GET", Routes.Events),
    ];

    [Fact]
    public async Task Every_call_of_the_command_line_is_in_the_document()
    {
        await using var server = await ApiServer.StartAsync();
        var document = await ReadAsync(server);
        var described = Operations(document).Select(operation => (operation.Method, Pattern: PathParameter().Replace(operation.Path, "[^/]+"))).ToList();
        foreach (var (method, path) in Calls)
            Assert.True(described.Exists(one => one.Method == method && Regex.IsMatch(path, $"^{one.Pattern}$")), $"{method} {path} is not described");
    }

    [Fact]
    public void Every_target_of_the_command_line_is_among_the_calls_tested()
    {
        var constants = ((Type[])[typeof(Routes), typeof(IdentityRoutes), typeof(NetworkRoutes)]).SelectMany(type => type.GetFields(BindingFlags.Public | BindingFlags.Static)).Where(field => field.IsLiteral).Select(field => (string)field.GetRawConstantValue()!);
        Assert.All(constants, target => Assert.Contains(Calls, call => call.Path == target));
    }

    [Fact]
    public async Task Every_operation_has_an_id_a_summary_a_result_and_its_problems()
    {
        await using var server = await ApiServer.StartAsync();
        var document = await ReadAsync(server);
        var operations = Operations(document).ToList();
        Assert.Equal(operations.Count, operations.Select(operation => (string)operation.Node["operationId"]!).Distinct().Count());
        foreach (var (method, path, operation) in operations)
        {
            var name = $"{method} {path}";
            Assert.True(!string.IsNullOrEmpty((string?)operation["summary"]), name);
            var responses = operation["responses"]!.AsObject();
            Assert.True(responses.Any(response => response.Key is "101" or "200" or "201" or "204"), name);
            foreach (var status in (string[])["400", "401", "403", "500", "503"])
                Assert.Contains("ApiProblem", responses[status]?["content"]?["application/problem+json"]?["schema"]?.ToJsonString() ?? name, StringComparison.Ordinal);
        }
    }

    [Fact]
    public async Task Bodies_are_described()
    {
        await using var server = await ApiServer.StartAsync();
        var document = await ReadAsync(server);
        Assert.Contains("CreateContainerRequest", Body("/v1/containers", "post", "application/json"), StringComparison.Ordinal);
        Assert.Contains("binary", Body("/v1/images/load", "post", "application/x-tar"), StringComparison.Ordinal);
        Assert.Contains("binary", Body("/v1/containers/{reference}/archive", "put", "application/x-tar"), StringComparison.Ordinal);
        var container = document["paths"]!["/v1/containers/{reference}"]!["get"]!["responses"]!["200"]!["content"]!["application/json"]!["schema"]!;
        Assert.Equal("#/components/schemas/Container", (string)container["$ref"]!);
        var condition = document["components"]!["schemas"]!["RestartCondition"]!;
        Assert.Equal(["No", "Always", "UnlessStopped", "OnFailure"], condition["enum"]!.AsArray().Select(value => (string)value!));

        string Body(string path, string method, string type) => document["paths"]![path]![method]!["requestBody"]!["content"]![type]!["schema"]!.ToJsonString();
    }

    private static async Task<JsonNode> ReadAsync(ApiServer server) => (await server.Http.GetFromJsonAsync<JsonNode>("/openapi/v1.json"))!;

    private static IEnumerable<(string Method, string Path, JsonNode Node)> Operations(JsonNode document) =>
        from path in document["paths"]!.AsObject()
        from operation in path.Value!.AsObject()
        select (operation.Key.ToUpperInvariant(), path.Key, operation.Value!);

    [GeneratedRegex("{[a-z]+}")]
    private static partial Regex PathParameter();
}
