using Candela.Cli.CommandLine;
using Candela.Cli.Commands.Identity;
using Candela.Cli.Commands.Networks;

namespace Candela.Cli.Commands;

/// <summary>The whole tree of commands.</summary>
internal static class Root
{
    public static Command Create()
    {
        Command? root = null;
        root = new Command("candela", "Containers, each in a micro-VM of its own, cloned in milliseconds from a running parent")
        {
            Subcommands =
            [
                RunCommands.Run,
                InspectCommands.List,
                InspectCommands.Logs,
                RunCommands.Exec,
                RunCommands.Attach,
                LifecycleCommands.Fork,
                RunCommands.Create,
                RunCommands.Start,
                LifecycleCommands.Stop,
                LifecycleCommands.Restart,
                LifecycleCommands.Kill,
                LifecycleCommands.Remove,
                LifecycleCommands.Wait,
                LifecycleCommands.Pause,
                LifecycleCommands.Unpause,
                LifecycleCommands.Rename,
                InspectCommands.Inspect,
                StatsCommand.Stats,
                InspectCommands.Top,
                InspectCommands.Events,
                ImageCommands.List,
                ImageCommands.Pull,
                ImageCommands.Load,
                ImageCommands.Import,
                ImageCommands.Tag,
                ImageCommands.Remove,
                ImageCommands.Prune,
                SegmentCommands.Segment,
                SecurityGroupCommands.SecurityGroup,
                NetworkPolicyCommands.NetworkPolicy,
                FlowCommands.Flow,
                DomainCommands.Domain,
                AccountCommands.User,
                AccountCommands.ServiceAccount,
                GroupCommands.Group,
                PolicyCommands.Role,
                PolicyCommands.Bind,
                PolicyCommands.Policy,
                ClientCommands.Client,
                SamlCommands.SamlProvider,
                IdentityProviderCommands.IdentityProvider,
                CertificateCommands.Certificate,
                LoginCommands.Login,
                LoginCommands.Logout,
                ContextCommands.Context,
                SelfCommands.Self,
                CertificateCommands.WhoAmI,
                KerberosCommands.Kerberos,
                MachineCommands.Parent,
                MachineCommands.Machine,
                MachineCommands.Task,
                DaemonCommands.Up,
                DaemonCommands.Down,
                DaemonCommands.Status,
                StoreCommands.Store,
                MachineCommands.Version,
                Completion.Script,
                Completion.Hook(() => root!),
            ],
            Examples =
            [
                ("up", "start the daemon"),
                ("run --rm -it candela/base sh", "a shell in a fresh micro-VM"),
                ("ps", "what runs"),
            ],
        };
        return root;
    }
}
