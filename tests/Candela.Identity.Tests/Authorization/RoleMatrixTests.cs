using Candela.Identity.Authorization;

namespace Candela.Identity.Tests.Authorization;

/// <summary>Every verb × kind × built-in role × place of the binding × place of the resource against a table that was written by hand.</summary>
public sealed class RoleMatrixTests : IAsyncLifetime
{
    // g get, l list, c create, u update, d delete, o operate, x execute, w logs, f fork, n connect, r reset; - none.
    private const string Letters = "glcudoxwfnr";

    private const string Table = """
                         system-admin  tenant-admin  project-admin  developer    viewer  auditor
        system           glcudoxwfnr   -             -              -            -       gl
        machine          glcudoxwfnr   -             -              -            -       gl
        tenant           glcudoxwfnr   gl            -              -            gl      gl
        project          glcudoxwfnr   glcudoxwfnr   glu            gl           gl      gl
        quota            glcudoxwfnr   gl            gl             gl           gl      gl
        domain           glcudoxwfnr   glu           -              -            -       gl
        user             glcudoxwfnr   glcudoxwfnr   -              -            -       gl
        group            glcudoxwfnr   glcudoxwfnr   -              -            -       gl
        service-account  glcudoxwfnr   glcudoxwfnr   -              -            -       gl
        role             glcudoxwfnr   glcudoxwfnr   gl             -            -       gl
        binding          glcudoxwfnr   glcudoxwfnr   glcudoxwfnr    -            -       gl
        client           glcudoxwfnr   glcudoxwfnr   -              -            -       gl
        certificate      glcudoxwfnr   glcudoxwfnr   glcudoxwfnr    gl           gl      gl
        image            glcudoxwfnr   glcudoxwfnr   glcudoxwfnr    glcudoxwfnr  gl      gl
        container        glcudoxwfnr   glcudoxwfnr   glcudoxwfnr    glcudoxwfnr  gl      gl
        volume           glcudoxwfnr   glcudoxwfnr   glcudoxwfnr    glcudoxwfnr  gl      gl
        segment          glcudoxwfnr   glcudoxwfnr   glcudoxwfnr    gl           gl      gl
        network-policy   glcudoxwfnr   glcudoxwfnr   glcudoxwfnr    gl           gl      gl
        task             glcudoxwfnr   glcudoxwfnr   glcudoxwfnr    glcudoxwfnr  gl      gl
        event            glcudoxwfnr   glcudoxwfnr   glcudoxwfnr    gl           gl      gl
        audit            glcudoxwfnr   gl            gl             -            -       gl
        """;

    // Rows: where the binding is; columns: where the resource is. By hand, too.
    private const string Reach = """
                                      /  /machine/m  /tenants/a  /tenants/a/user/u  /tenants/a/projects/p  /tenants/a/projects/p/container/c  /tenants/a/projects/q  /tenants/b  /tenants/b/projects/p/container/c
        /                             y  y           y           y                  y                      y                                  y                      y           y
        /machine/m                    n  y           n           n                  n                      n                                  n                      n           n
        /tenants/a                    n  n           y           y                  y                      y                                  y                      n           n
        /tenants/a/user/u             n  n           n           y                  n                      n                                  n                      n           n
        /tenants/a/projects/p         n  n           n           n                  y                      y                                  n                      n           n
        /tenants/a/projects/p/container/c n n        n           n                  n                      y                                  n                      n           n
        /tenants/a/projects/q         n  n           n           n                  n                      n                                  y                      n           n
        /tenants/b                    n  n           n           n                  n                      n                                  n                      y           y
        /tenants/b/projects/p         n  n           n           n                  n                      n                                  n                      n           y
        """;

    private IdentityFixture _identity = null!;

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync() => _identity = await IdentityFixture.StartAsync();

    public ValueTask DisposeAsync() => _identity.DisposeAsync();

    [Fact]
    public async Task No_cell_is_wrong()
    {
        var verbs = Enum.GetValues<Verb>();
        Assert.Equal(Letters.Length, verbs.Length);
        var (roleNames, rights) = Parse(Table);
        var (targets, reach) = Parse(Reach);
        Assert.Equal(BuiltInRoles.All.Select(role => role.Name), roleNames);
        Assert.Equal(Enum.GetValues<ResourceKind>().Length, rights.Count);

        int cells = 0;
        foreach (var (at, reached) in reach)
        {
            for (int role = 0; role < roleNames.Length; role++)
            {
                // Each combination of role and place has a user of its own.
                var user = await _identity.AddUserAsync($"user{at.Replace('/', '-')}-{role}");
                await BindAsync(Subject.Entry(user.Id), BuiltInRoles.Find(roleNames[role])!, at);
                foreach (var (kind, letters) in rights)
                {
                    for (int verb = 0; verb < verbs.Length; verb++)
                    {
                        for (int target = 0; target < targets.Length; target++)
                        {
                            Assert.True(Permission.TryParse($"{kind}:{verbs[verb].ToString().ToLowerInvariant()}", out var permission));
                            Assert.True(ResourceScope.TryParse(targets[target], out var scope));
                            var decision = await _identity.Get<IAuthorizer>().DecideAsync(Subject.Entry(user.Id), permission, scope, Token);
                            bool expected = letters[role].Contains(Letters[verb], StringComparison.Ordinal) && reached[target] == "y";
                            Assert.True(expected == decision.Allowed, $"{roleNames[role]} at {at}: {permission} at {targets[target]} is {decision.Explanation}");
                            cells++;
                        }
                    }
                }
            }
        }

        Assert.Equal(9 * 6 * 21 * 11 * 9, cells);
    }

    private static (string[] Columns, List<(string Row, string[] Cells)> Rows) Parse(string table)
    {
        var lines = table.Split('\n').Select(line => line.Split(' ', StringSplitOptions.RemoveEmptyEntries)).ToArray();
        return (lines[0], [.. lines[1..].Select(cells => (cells[0], cells[1..]))]);
    }

    private async Task BindAsync(Subject subject, Role role, string at)
    {
        Assert.True(ResourceScope.TryParse(at, out var scope));
        await _identity.Get<IAccessPolicy>().BindAsync(new RoleBinding { Subject = subject, RoleId = role.Id, Scope = scope }, Token);
    }
}
