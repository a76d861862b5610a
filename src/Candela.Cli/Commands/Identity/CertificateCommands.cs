using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using Candela.Cli.Api;
using Candela.Cli.CommandLine;
using Candela.Cli.Http;
using Candela.Cli.Output;
using Candela.Cli.Remote;
using Candela.Model.Identity;

namespace Candela.Cli.Commands.Identity;

/// <summary>cert: client certificates of accounts; whoami.</summary>
internal static class CertificateCommands
{
    private const int RequestBytes = 64 * 1024;

    private static readonly Option OwnerOption = new("owner", "Only those of user:NAME@DOMAIN, service-account:NAME@DOMAIN, container:ID …") { Value = "OWNER" };

    private static readonly Option HoursOption = new("hours", "How long it is to be valid (default: as the profile says)") { Value = "HOURS" };

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
                Options = [HoursOption],
                Description = "Reads a signing request (PKCS #10, PEM) from standard input. Whoever holds its key can act as the account by mutual TLS.",
                Examples =
                [
                    ("cert request user:ada@acme < ada.csr > ada.pem", "after: openssl req -new -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout ada.key -subj /CN=ada -out ada.csr"),
                ],
                Run = Request,
            },
            new("docker", "Make all that 'docker --tlsverify' needs to act as an account: key, certificate and whom to trust")
            {
                Arguments = "OWNER FOLDER",
                ArgumentsMinimum = 2,
                ArgumentsMaximum = 2,
                ArgumentCompletes = [Completes.Nothing, Completes.Files],
                Options = [HoursOption],
                Description = """
                    Writes ca.pem, cert.pem and key.pem to the folder, for DOCKER_CERT_PATH. The key is made here and goes nowhere else; whoever has it can act as the account.
                    The daemon must run with --docker-tls. Once more into the same folder: a new key and certificate in place of the former.
                    """,
                Examples =
                [
                    ("cert docker user:ada@acme ./ada-docker", "then: docker --tlsverify -H tcp://candela.example:2376 with DOCKER_CERT_PATH=./ada-docker"),
                ],
                Run = MakeDockerFiles,
            },
            new("roots", "Print whom clients have to trust, PEM")
            {
                ArgumentsMaximum = 0,
                Examples = [("cert roots > roots.pem", "for candela login --ca-file, curl --cacert and the like")],
                Run = invocation =>
                {
                    using var client = invocation.Connect();
                    Writer.Out(client.Get(IdentityRoutes.Roots, Wire.Default.RootsReport).Pem);
                    return 0;
                },
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
        using var client = invocation.Connect();
        Writer.Out(Issue(client, invocation, ReadInput()).Pem ?? "");
        return 0;
    }

    private static int MakeDockerFiles(Invocation invocation)
    {
        using var client = invocation.Connect();
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var issued = Issue(client, invocation, new CertificateRequest("", key, HashAlgorithmName.SHA256).CreateSigningRequestPem());
        string roots = client.Get(IdentityRoutes.Roots, Wire.Default.RootsReport).Pem;
        string folder = invocation.Arguments[1];
        Directory.CreateDirectory(folder, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        PrivateFile.Write(Path.Combine(folder, "key.pem"), Encoding.ASCII.GetBytes(key.ExportPkcs8PrivateKeyPem() + "\n"));
        PrivateFile.Write(Path.Combine(folder, "cert.pem"), Encoding.ASCII.GetBytes(issued.Pem ?? ""));
        PrivateFile.Write(Path.Combine(folder, "ca.pem"), Encoding.ASCII.GetBytes(roots));
        Writer.Error($"{issued.Owner} until {issued.NotAfter:u}, serial number {issued.Serial}: export DOCKER_CERT_PATH={Path.GetFullPath(folder)} DOCKER_TLS_VERIFY=1 DOCKER_HOST=tcp://HOST:PORT");
        return 0;
    }

    private static CertificateReport Issue(DaemonClient client, Invocation invocation, string signingRequest)
    {
        int? hours = invocation.Number("hours", 1, 24 * 365);
        var request = new RequestCertificateRequest { Owner = invocation.Arguments[0], Request = signingRequest, LifetimeHours = hours };
        return client.Post(IdentityRoutes.Certificates, request, Wire.Default.RequestCertificateRequest, Wire.Default.CertificateReport);
    }

    private static string ReadInput()
    {
        using var input = Console.OpenStandardInput();
        byte[] bytes = new byte[RequestBytes];
        int count = input.ReadAtLeast(bytes, bytes.Length, throwOnEndOfStream: false);
        return count is > 0 and < RequestBytes
            ? Encoding.ASCII.GetString(bytes, 0, count)
            : throw new UsageException($"standard input must be a signing request in PEM of less than {RequestBytes} bytes");
    }
}
