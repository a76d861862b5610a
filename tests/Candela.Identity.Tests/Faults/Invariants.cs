using System.Text;
using System.Text.Json.Nodes;
using Candela.State;

namespace Candela.Identity.Tests.Faults;

/// <summary>What must hold of identity's documents whenever the process dies. Reads them as they are, not through the code under test.</summary>
internal static class Invariants
{
    public static async Task CheckAsync(IStateStore store)
    {
        var keys = new Dictionary<string, string>(StringComparer.Ordinal);
        string? after = null;
        do
        {
            var page = await store.RangeAsync("/identity/", after, 1000, TestContext.Current.CancellationToken);
            foreach (var entry in page.Entries)
                keys.Add(entry.Key["/identity/".Length..], Encoding.UTF8.GetString(entry.Value.Span));
            after = page.Next;
        }
        while (after is not null);

        var entries = Below("directory/entries/").ToDictionary(e => e.Key, e => JsonNode.Parse(e.Value)!);
        var domains = Below("directory/domains/").Select(d => d.Key).ToHashSet();
        var bindings = Below("directory/bindings/").ToDictionary(b => b.Key, b => JsonNode.Parse(b.Value)!);
        var unique = new Dictionary<string, string>();
        foreach (var (id, entry) in entries)
        {
            Assert.Equal(id, (string?)entry["id"]);
            Assert.Contains((string)entry["domainId"]!, domains);
            Assert.True(unique.TryAdd($"names/{entry["domainId"]}/{((string)entry["name"]!).ToLowerInvariant()}", id), "two entries have one name");
            if ((string?)entry["kind"] == "user")
                Assert.True(unique.TryAdd($"uids/{entry["domainId"]}/{entry["posix"]!["uidNumber"]}", id), "two users have one number");
            if ((string?)entry["kind"] == "group")
                Assert.True(unique.TryAdd($"gids/{entry["domainId"]}/{entry["gidNumber"]}", id), "two groups have one number");
        }

        // Each name and number is that of an entry, and the other way round.
        Assert.Equal(unique, Below("names/").Select(n => KeyValuePair.Create("names/" + n.Key, n.Value))
            .Concat(Below("uids/").Select(n => KeyValuePair.Create("uids/" + n.Key, n.Value)))
            .Concat(Below("gids/").Select(n => KeyValuePair.Create("gids/" + n.Key, n.Value))).ToDictionary());
        foreach (var membership in Below("directory/members/"))
            Assert.All(membership.Key.Split('/'), id => Assert.Contains(id, entries.Keys));
        foreach (var (id, _) in Below("credentials/"))
            Assert.Contains(id, entries.Keys);
        foreach (var binding in bindings.Values)
            Assert.Contains(((string)binding["subject"]!)["entry:".Length..], entries.Keys);
        var roles = Below("directory/roles/").ToDictionary(r => r.Key, r => JsonNode.Parse(r.Value)!);
        Assert.Equal(roles.Keys.Order(), Below("role-names/").Select(n => n.Value).Order());
        foreach (var binding in bindings.Values)
            Assert.True(roles.ContainsKey((string)binding["roleId"]!) || ((string)binding["roleId"]!).StartsWith("00000000-", StringComparison.Ordinal));

        IEnumerable<KeyValuePair<string, string>> Below(string prefix) =>
            keys.Where(k => k.Key.StartsWith(prefix, StringComparison.Ordinal)).Select(k => KeyValuePair.Create(k.Key[prefix.Length..], k.Value));
    }
}
