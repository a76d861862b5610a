using Candela.Cli.Api;
using Candela.Cli.CommandLine;
using Candela.Cli.Http;
using Candela.Cli.Output;
using Candela.Model.Identity;

namespace Candela.Cli.Commands.Identity;

/// <summary>role, bind, policy.</summary>
internal static class PolicyCommands
{
    private const string SubjectHelp =
        "A subject is user:NAME@DOMAIN, group:NAME@DOMAIN, service-account:NAME@DOMAIN, or workload:TENANT/PROJECT/NAME (NAME * for all of a project). " +
        "A scope is / for the whole system, /tenants/T, /tenants/T/projects/P, or one of these with /KIND/ID for one resource.";

    private static readonly Option TenantOption = new("tenant", "Tenant (default: for everywhere)") { Value = "TENANT" };

    private static readonly Option PermissionOption =
        new("permission", "KIND:VERB, either may be *, for example container:create") { Letter = 'p', Value = "PERMISSION", Repeatable = true };

    private static readonly Option DescriptionOption = new("description", "What it is for") { Value = "TEXT" };

    public static readonly Command Role = new("role", "Roles: named sets of permissions")
    {
        Subcommands =
        [
            new("ls", "List roles") { ArgumentsMaximum = 0, Options = [TenantOption, CommandContext.OutputOption], Run = ListRoles },
            new("show", "Show a role")
            {
                Arguments = "ROLE",
                ArgumentCompletes = [Completes.Roles],
                ArgumentsMinimum = 1,
                ArgumentsMaximum = 1,
                Options = [TenantOption, CommandContext.OutputOption],
                Run = invocation => Tree.Show(invocation, IdentityRoutes.Role(invocation.Arguments[0], invocation.Value("tenant"))),
            },
            new("create", "Create a role")
            {
                Arguments = "ROLE",
                ArgumentsMinimum = 1,
                ArgumentsMaximum = 1,
                Options = [TenantOption, PermissionOption, DescriptionOption],
                Examples = [("role create operator --tenant acme -p container:get -p container:list -p container:operate", "")],
                Run = CreateRole,
            },
            new("set", "Change what a role allows, for all who have it")
            {
                Arguments = "ROLE",
                ArgumentCompletes = [Completes.Roles],
                ArgumentsMinimum = 1,
                ArgumentsMaximum = 1,
                Options = [TenantOption, PermissionOption with { Help = "All its permissions from now on; repeatable" }, DescriptionOption],
                Run = UpdateRole,
            },
            new("rm", "Remove roles that nobody has")
            {
                Arguments = "ROLE [ROLE...]",
                ArgumentCompletes = [Completes.Roles],
                ArgumentsMinimum = 1,
                Options = [TenantOption],
                Run = invocation =>
                {
                    using var client = invocation.Connect();
                    return CommandContext.ForEach(invocation.Arguments, name => client.Delete(IdentityRoutes.Role(name, invocation.Value("tenant"))));
                },
            },
        ],
    };

    public static readonly Command Bind = new("bind", "Bindings: who has which role where")
    {
        Subcommands =
        [
            new("ls", "List bindings at a scope and within it")
            {
                Arguments = "[SCOPE]",
                ArgumentsMaximum = 1,
                Options = [new("subject", "Only this one's own") { Value = "SUBJECT" }, CommandContext.OutputOption],
                Description = SubjectHelp,
                Run = ListBindings,
            },
            new("add", "Give a role to somebody, somewhere")
            {
                Arguments = "ROLE SUBJECT [SCOPE]",
                ArgumentCompletes = [Completes.Roles, Completes.Nothing],
                ArgumentsMinimum = 2,
                ArgumentsMaximum = 3,
                Description = SubjectHelp + " Without a scope it is the whole system.",
                Examples = [("bind add developer group:developers@acme /tenants/acme/projects/web", ""), ("bind add auditor user:ada", "")],
                Run = AddBinding,
            },
            new("rm", "Take bindings away")
            {
                Arguments = "BINDING [BINDING...]",
                ArgumentsMinimum = 1,
                Run = invocation =>
                {
                    using var client = invocation.Connect();
                    return CommandContext.ForEach(invocation.Arguments, id => client.Delete(IdentityRoutes.Binding(id)));
                },
            },
        ],
    };

    public static readonly Command Policy = new("policy", "What follows from roles and bindings")
    {
        Subcommands =
        [
            new("can-i", "Say whether something is allowed, and why; the exit code is 0 or 1")
            {
                Arguments = "PERMISSION [SCOPE]",
                ArgumentsMinimum = 1,
                ArgumentsMaximum = 2,
                Options = [new("as", "Whom it is about (default: the caller)") { Value = "SUBJECT" }, CommandContext.OutputOption],
                Description = SubjectHelp,
                Examples = [("policy can-i container:create /tenants/acme/projects/web --as user:ada@acme", "")],
                Run = CanI,
            },
        ],
    };

    private static int ListRoles(Invocation invocation)
    {
        using var client = invocation.Connect();
        byte[] json = client.GetJson(Routes.Query(IdentityRoutes.Roles, ("tenant", invocation.Value("tenant"))));
        if (invocation.WantsJson())
        {
            Writer.Json(json);
            return 0;
        }
        var table = new Table("ROLE", "TENANT", "KIND", "DESCRIPTION");
        foreach (var role in DaemonClient.Deserialize(json, Wire.Default.IReadOnlyListRoleReport))
            table.Add(role.Name, role.Tenant ?? "", role.BuiltIn ? "built in" : "custom", role.Description ?? "");
        Writer.Out(table.ToString());
        return 0;
    }

    private static int CreateRole(Invocation invocation)
    {
        using var client = invocation.Connect();
        var request = new CreateRoleRequest
        {
            Name = invocation.Arguments[0],
            Tenant = invocation.Value("tenant"),
            Description = invocation.Value("description"),
            Permissions = invocation.Values("permission"),
        };
        Writer.Line(client.Post(IdentityRoutes.Roles, request, Wire.Default.CreateRoleRequest, Wire.Default.RoleReport).Name);
        return 0;
    }

    private static int UpdateRole(Invocation invocation)
    {
        using var client = invocation.Connect();
        var request = new UpdateRoleRequest
        {
            Description = invocation.Value("description"),
            Permissions = invocation.Has("permission") ? invocation.Values("permission") : null,
        };
        client.Patch(IdentityRoutes.Role(invocation.Arguments[0], invocation.Value("tenant")), request, Wire.Default.UpdateRoleRequest);
        return 0;
    }

    private static int ListBindings(Invocation invocation)
    {
        using var client = invocation.Connect();
        byte[] json = client.GetJson(Routes.Query(
            IdentityRoutes.Bindings, ("scope", invocation.Arguments.Count > 0 ? invocation.Arguments[0] : null), ("subject", invocation.Value("subject"))));
        if (invocation.WantsJson())
        {
            Writer.Json(json);
            return 0;
        }
        var table = new Table("BINDING", "ROLE", "SUBJECT", "SCOPE");
        foreach (var binding in DaemonClient.Deserialize(json, Wire.Default.IReadOnlyListBindingReport))
            table.Add(binding.Id.ToString(), binding.Role, binding.Subject, binding.Scope);
        Writer.Out(table.ToString());
        return 0;
    }

    private static int AddBinding(Invocation invocation)
    {
        using var client = invocation.Connect();
        var request = new CreateBindingRequest
        {
            Role = invocation.Arguments[0],
            Subject = invocation.Arguments[1],
            Scope = invocation.Arguments.Count > 2 ? invocation.Arguments[2] : null,
        };
        Writer.Line(client.Post(IdentityRoutes.Bindings, request, Wire.Default.CreateBindingRequest, Wire.Default.BindingReport).Id.ToString());
        return 0;
    }

    private static int CanI(Invocation invocation)
    {
        using var client = invocation.Connect();
        byte[] json = client.GetJson(Routes.Query(
            IdentityRoutes.CanI,
            ("permission", invocation.Arguments[0]),
            ("scope", invocation.Arguments.Count > 1 ? invocation.Arguments[1] : null),
            ("subject", invocation.Value("as"))));
        var decision = DaemonClient.Deserialize(json, Wire.Default.DecisionReport);
        if (invocation.WantsJson())
            Writer.Json(json);
        else
            Writer.Line(decision.Explanation);
        return decision.Allowed ? 0 : 1;
    }
}
