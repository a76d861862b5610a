using Candela.Cli.Api;
using Candela.Cli.CommandLine;
using Candela.Cli.Output;
using Candela.Model.Identity;

namespace Candela.Cli.Commands.Identity;

/// <summary>kerberos: keytabs and the services that they are for.</summary>
internal static class KerberosCommands
{
    private const UnixFileMode OwnerOnly = UnixFileMode.UserRead | UnixFileMode.UserWrite;

    public static readonly Command Kerberos = new("kerberos", "Keytabs, and Kerberos principals of services")
    {
        Subcommands =
        [
            new("keytab", "Give new keys to a service account or its services, and write the keytab")
            {
                Arguments = "ACCOUNT[@DOMAIN] FILE [SERVICE/HOST...]",
                ArgumentsMinimum = 2,
                Description = "Whoever has the file is the account, or the service: only the owner may read it. Keytabs that were made before are of no use any more.",
                Examples = [("kerberos keytab backup@acme backup.keytab", ""), ("kerberos keytab web@acme web.keytab HTTP/www.example.org host/www.example.org", "")],
                Run = MakeKeytab,
            },
            new("ls", "List principals of services")
            {
                ArgumentsMaximum = 0,
                Options = [CommandContext.OutputOption],
                Run = List,
            },
            new("rm", "Remove principals of services; their keytabs are of no use any more")
            {
                Arguments = "SERVICE/HOST [SERVICE/HOST...]",
                ArgumentsMinimum = 1,
                Run = invocation =>
                {
                    using var client = invocation.Connect();
                    return CommandContext.ForEach(invocation.Arguments, service => client.Delete(IdentityRoutes.KerberosService(service)));
                },
            },
        ],
    };

    private static int MakeKeytab(Invocation invocation)
    {
        using var client = invocation.Connect();
        var path = invocation.Arguments[1];
        var request = new KeytabRequest { Account = invocation.Arguments[0], Services = [.. invocation.Arguments.Skip(2)] };
        // Opened first: the new keys would be lost if the file could not be written, and the former ones are gone.
        using (var file = new FileStream(path + ".new", new FileStreamOptions { Mode = FileMode.Create, Access = FileAccess.Write, UnixCreateMode = OwnerOnly }))
        {
            File.SetUnixFileMode(file.SafeFileHandle, OwnerOnly);
            var report = client.Post(IdentityRoutes.Keytabs, request, Wire.Default.KeytabRequest, Wire.Default.KeytabReport);
            file.Write(report.Keytab);
            foreach (var principal in report.Principals)
                Writer.Line(principal);
        }

        File.Move(path + ".new", path, overwrite: true);
        return 0;
    }

    private static int List(Invocation invocation)
    {
        using var client = invocation.Connect();
        var services = client.Get(IdentityRoutes.KerberosServices, Wire.Default.IReadOnlyListKerberosServiceReport);
        if (invocation.WantsJson())
        {
            Writer.Json(System.Text.Json.JsonSerializer.SerializeToUtf8Bytes(services, Wire.Default.IReadOnlyListKerberosServiceReport));
            return 0;
        }

        var table = new Table("PRINCIPAL", "ACCOUNT", "KEYS");
        foreach (var service in services)
            table.Add(service.Principal, service.Account ?? "", $"{service.KeyVersion}");
        Writer.Out(table.ToString());
        return 0;
    }
}
