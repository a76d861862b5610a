using Candela.Cli.Api;
using Candela.Cli.CommandLine;
using Candela.Cli.Http;
using Candela.Cli.Output;
using Candela.Model.Identity;

namespace Candela.Cli.Commands.Identity;

/// <summary>cert: client certificates of accounts; whoami.</summary>
internal static class CertificateCommands
{
    private const int RequestBytes = 64 * 1024;

    private static readonly Option OwnerOption = new("owner", "Only those of user:NAME@DOMAIN, service-account:NAME@DOMAIN, container:ID …") { Value = "OWNER" };

    public static readonly Command WhoAmI = new("whoami", "Who one is to the daemon") { ArgumentsMaximum = 0, Options = [CommandContext.OutputOption], Run = ShowSelf };

    public static readonly Command Certificate = new("cert", "Certificates of the platform's own authority")
    {
        Subcommands =
        [
            new("ls", "List certificates on record") { ArgumentsMaximum = 0, Options = [OwnerOption, CommandContext.OutputOption], Run = List },
            new("request", "Have a client certificate issued for an account; prints it with its chain")
            {
                Arguments = "OWNER",
                ArgumentsMinimum = 1,
                ArgumentsMaximum = 1,
                Options = [new("hours", "How long it is to be valid (default: as the profile says)") { Value = "HOURS" }],
                Description = "Reads a signing request (PKCS #10, PEM) from standard input. Whoever holds its key can act as the account by mutual TLS.",
                Examples =
                [
                    ("cert request user:ada@acme < ada.csr > ada.pem", "after: openssl req -new -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout ada.key -subj /CN=ada -out ada.csr"),
                ],
                Run = Request,
            },
            new("revoke", "Revoke certificates: from now on they are refused")
            {
                Arguments = "SERIAL [SERIAL...]",
                ArgumentsMinimum = 1,
                Run = invocation =>
                {
                    using var client = invocation.Connect();
                    return CommandContext.ForEach(invocation.Arguments, serial => client.Delete($"{IdentityRoutes.Certificates}/{Uri.EscapeDataString(serial)}"));
                },
            },
        ],
    };

    private static int ShowSelf(Invocation invocation)
    {
        using var client = invocation.Connect();
        byte[] json = client.GetJson(IdentityRoutes.WhoAmI);
        if (invocation.WantsJson())
            Writer.Json(json);
        else
            Writer.Line(DaemonClient.Deserialize(json, Wire.Default.WhoAmIReport).Name);
        return 0;
    }

    private static int List(Invocation invocation)
    {
        using var client = invocation.Connect();
        byte[] json = client.GetJson(Routes.Query(IdentityRoutes.Certificates, ("owner", invocation.Value("owner"))));
        if (invocation.WantsJson())
        {
            Writer.Json(json);
            return 0;
        }
        var table = new Table("SERIAL", "PROFILE", "OWNER", "UNTIL", "STATUS");
        foreach (var one in DaemonClient.Deserialize(json, Wire.Default.IReadOnlyListCertificateReport))
            table.Add(one.Serial, one.Profile, one.Owner, one.NotAfter.ToString("u", null), one.RevokedAt is { } at ? $"revoked {at:u}" : "good");
        Writer.Out(table.ToString());
        return 0;
    }

    private static int Request(Invocation invocation)
    {
        int? hours = invocation.Value("hours") is not { } text ? null
            : int.TryParse(text, out int number) && number > 0 ? number
            : throw new UsageException($"--hours wants a number, not '{text}'");
        using var client = invocation.Connect();
        var request = new RequestCertificateRequest { Owner = invocation.Arguments[0], Request = ReadInput(), LifetimeHours = hours };
        var issued = client.Post(IdentityRoutes.Certificates, request, Wire.Default.RequestCertificateRequest, Wire.Default.CertificateReport);
        Writer.Out(issued.Pem ?? "");
        return 0;
    }

    private static string ReadInput()
    {
        using var input = Console.OpenStandardInput();
        byte[] bytes = new byte[RequestBytes];
        int count = input.ReadAtLeast(bytes, bytes.Length, throwOnEndOfStream: false);
        return count is > 0 and < RequestBytes
            ? System.Text.Encoding.ASCII.GetString(bytes, 0, count)
            : throw new UsageException($"standard input must be a signing request in PEM of less than {RequestBytes} bytes");
    }
}
