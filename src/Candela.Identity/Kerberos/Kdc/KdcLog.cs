using System.Text.RegularExpressions;
using System.Threading.Channels;
using Candela.Identity.Accounts;
using Candela.Identity.Administration;
using Candela.Identity.Auditing;
using Candela.Identity.Authentication;
using Candela.Identity.Kerberos.Principals;
using Candela.Model;
using Microsoft.Extensions.Logging;

namespace Candela.Identity.Kerberos.Kdc;

/// <summary>Reads the KDC's log: sign-ins go to the audit log, and wrong passwords count as they do everywhere.</summary>
internal sealed partial class KdcLog(
    IDirectory directory, FailureLedger failures, Authenticator authenticator, ProtocolAudit audit, KerberosOptions options, ILogger<KdcLog> logger)
{
    private const string Action = "kerberos.sign-in";
    private const int NameLength = 256;
    private const int LineCount = 4096;

    private readonly Channel<string> _lines = Channel.CreateBounded<string>(new BoundedChannelOptions(LineCount) { FullMode = BoundedChannelFullMode.DropWrite, SingleReader = true });

    private readonly TaskCompletionSource _ready = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private volatile string? _problem;

    /// <summary>Ends when the KDC answers.</summary>
    public Task Ready => _ready.Task;

    /// <summary>What the KDC complained of last; null: nothing.</summary>
    public string? Problem => _problem;

    /// <summary>Takes a line; a flood of them is not kept.</summary>
    public void Add(string line) => _lines.Writer.TryWrite(line);

    /// <summary>Works until cancelled.</summary>
    public async Task RunAsync(CancellationToken cancellationToken)
    {
        await foreach (var line in _lines.Reader.ReadAllAsync(cancellationToken))
        {
            try
            {
                await HandleAsync(line, cancellationToken);
            }
            catch (Exception e) when (e is not OperationCanceledException)
            {
                Log.NotCounted(logger, e);
            }
        }
    }

    private async Task HandleAsync(string line, CancellationToken cancellationToken)
    {
        if (line.Contains("](Error): ", StringComparison.Ordinal) || (line.StartsWith("krb5kdc: ", StringComparison.Ordinal) && !line.EndsWith("starting...", StringComparison.Ordinal)))
        {
            _problem = line;
            Log.Problem(logger, line);
        }
        else
        {
            Log.Line(logger, line);
        }

        if (line.EndsWith("(info): commencing operation", StringComparison.Ordinal))
            _ready.TrySetResult();
        if (SignIn().Match(line) is not { Success: true } match)
            return;
        string from = match.Groups["from"].Value, status = match.Groups["status"].Value, rest = match.Groups["rest"].Value;
        if (status == "NEEDED_PREAUTH" || rest.EndsWith(", More preauthentication data is required", StringComparison.Ordinal))
            return; // the first steps of every sign-in
        bool isIssued = status == "ISSUE";
        var client = isIssued ? Issued().Match(rest).Groups["client"].Value : rest.IndexOf(" for ", StringComparison.Ordinal) is > 0 and var end ? rest[..end] : rest;
        var account = PrincipalName.FindAccount(directory.Current, client, options.Realm);
        var shown = client.Length <= NameLength ? client : client[..NameLength];
        if (isIssued)
        {
            audit.Done(account is null ? Actor.Unproven(shown, from) : Actor.Of(account, directory.Current.GetDomain(account.DomainId)!, from), Action, shown);
            if (account is not null)
                await authenticator.ForgetFailuresAsync(account, cancellationToken);
            return;
        }

        audit.Refused(Actor.Unproven(shown, from), Action, shown, new CandelaException(ErrorCode.Unauthenticated, status));
        if (status == "PREAUTH_FAILED" && account is not null && directory.Current.GetDomain(account.DomainId) is { } domain)
            await failures.AddAsync(await failures.FindAsync(domain.Id, account.Name, cancellationToken), domain.PasswordPolicy, cancellationToken);
    }

    [GeneratedRegex(@"krb5kdc\[\d+\]\([a-z]+\): AS_REQ \(\d+ etypes \{[^}]*\}\) (?<from>\S+): (?<status>[A-Z_ ]+): (?<rest>.*)$", RegexOptions.CultureInvariant, 1000)]
    private static partial Regex SignIn();

    [GeneratedRegex(@"^authtime \d+, etypes \{[^}]*\}, (?<client>.+?) for ", RegexOptions.CultureInvariant, 1000)]
    private static partial Regex Issued();

    private static partial class Log
    {
        [LoggerMessage(1, LogLevel.Debug, "{Line}")]
        public static partial void Line(ILogger logger, string line);

        [LoggerMessage(3, LogLevel.Warning, "{Line}")]
        public static partial void Problem(ILogger logger, string line);

        [LoggerMessage(2, LogLevel.Error, "A sign-in at the KDC could not be recorded or counted")]
        public static partial void NotCounted(ILogger logger, Exception reason);
    }
}
