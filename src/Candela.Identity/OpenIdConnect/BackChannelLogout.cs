using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Cryptography.X509Certificates;
using System.Threading.Channels;
using Candela.Identity.Accounts;
using Candela.Identity.Acme.Challenges;
using Candela.Identity.OpenIdConnect.Clients;
using Candela.Identity.OpenIdConnect.Tokens;
using Candela.Identity.SignIn;
using Candela.Identity.Storage;
using Candela.State;
using Microsoft.Extensions.Logging;

namespace Candela.Identity.OpenIdConnect;

/// <summary>
/// Tells clients that a session has ended (OpenID Connect Back-Channel Logout 1.0): those that were signed in to by it and have an address for
/// that. A few attempts, then it is given up: their tokens that are bound to the session count no more anyway.
/// </summary>
internal sealed partial class BackChannelLogout : ISessionEnd, IAsyncDisposable
{
    private const int WaitingCount = 1000;
    private const int SessionClientCount = 100;
    private const int AttemptCount = 3;
    private const int AnswerBytes = 4096;
    private const string Prefix = OpenIdKeys.Root + "session-clients/";

    private static readonly TimeSpan Deadline = TimeSpan.FromSeconds(30);
    private static readonly TimeSpan Interval = TimeSpan.FromSeconds(2);

    private readonly IStateStore _store;
    private readonly ClientStore _clients;
    private readonly TokenIssuer _tokens;
    private readonly IDirectory _directory;
    private readonly ProviderTrust _trust;
    private readonly ExpiryLeases _leases;
    private readonly SignInOptions _options;
    private readonly TimeProvider _time;
    private readonly ILogger _logger;
    private readonly CancellationTokenSource _closing = new();
    private readonly Channel<(string ClientId, Guid AccountId, string SessionId)> _waiting = Channel.CreateBounded<(string, Guid, string)>(WaitingCount);
    private readonly Task _sending;

    public BackChannelLogout(
        IStateStore store, ClientStore clients, TokenIssuer tokens, IDirectory directory, ProviderTrust trust, ExpiryLeases leases, SignInOptions options, TimeProvider time, ILogger<BackChannelLogout> logger)
    {
        (_store, _clients, _tokens, _directory, _trust, _leases, _options, _time, _logger) = (store, clients, tokens, directory, trust, leases, options, time, logger);
        _sending = SendForEverAsync();
    }

    /// <summary>Somebody has been signed in to a client by a session.</summary>
    public async Task RememberAsync(OAuthClient client, Guid accountId, string? sessionId, CancellationToken cancellationToken)
    {
        if (client.BackChannelLogoutUri is not null && sessionId is not null)
            await _store.CommitAsync(new StateTransaction().Put($"{Prefix}{sessionId}/{client.Id}", accountId.ToByteArray(), await _leases.GetAsync(_options.Lifetime, cancellationToken)), cancellationToken);
    }

    /// <inheritdoc/>
    public async Task OnEndedAsync(string sessionId, CancellationToken cancellationToken)
    {
        var prefix = $"{Prefix}{sessionId}/";
        var entries = (await _store.RangeAsync(prefix, null, SessionClientCount, cancellationToken)).Entries;
        if (entries.Count == 0)
            return;
        var transaction = new StateTransaction();
        foreach (var entry in entries)
            transaction.Expect(entry.Key, entry.Revision).Delete(entry.Key);
        // Who takes them away tells them: once.
        if (!(await _store.CommitAsync(transaction, cancellationToken)).Succeeded)
            return;
        foreach (var entry in entries)
        {
            if (!_waiting.Writer.TryWrite((entry.Key[prefix.Length..], new Guid(entry.Value.Span), sessionId)))
                Log.Full(_logger);
        }
    }

    public async ValueTask DisposeAsync()
    {
        // Registered under two types, and so disposed of twice.
        if (_closing.IsCancellationRequested)
            return;
        await _closing.CancelAsync();
        await _sending.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        _closing.Dispose();
    }

    private async Task SendForEverAsync()
    {
        // Several at once: one that does not answer keeps nobody waiting.
        await Parallel.ForEachAsync(_waiting.Reader.ReadAllAsync(_closing.Token), new ParallelOptions { MaxDegreeOfParallelism = 8, CancellationToken = _closing.Token }, async (told, ending) =>
        {
            try
            {
                if (await _clients.FindEnabledAsync(told.ClientId, ending) is { BackChannelLogoutUri: { } address } client)
                    await TellAsync(client, new Uri(address), told.AccountId, told.SessionId, ending);
            }
            catch (Exception e) when (e is not OperationCanceledException || !ending.IsCancellationRequested)
            {
                Log.Failed(_logger, told.ClientId, e);
            }
        });
    }

    private async Task TellAsync(OAuthClient client, Uri address, Guid accountId, string sessionId, CancellationToken cancellationToken)
    {
        for (var attempt = 1; ; attempt++)
        {
            try
            {
                using var handler = new SocketsHttpHandler
                {
                    AllowAutoRedirect = false,
                    UseCookies = false,
                    UseProxy = false,
                    ConnectCallback = (context, ending) => ConnectAsync(client, context.DnsEndPoint, ending),
                    SslOptions = { RemoteCertificateValidationCallback = IsTrusted },
                };
                using var http = new HttpClient(handler) { Timeout = Deadline, MaxResponseContentBufferSize = AnswerBytes };
                using var content = new FormUrlEncodedContent([new("logout_token", _tokens.Logout(client, accountId, sessionId))]);
                using var response = await http.PostAsync(address, content, cancellationToken);
                response.EnsureSuccessStatusCode();
                return;
            }
            catch (Exception e) when (attempt < AttemptCount && (e is HttpRequestException || (e is TaskCanceledException && !cancellationToken.IsCancellationRequested)))
            {
                await Task.Delay(Interval, _time, cancellationToken);
            }
        }
    }

    /// <summary>A tenant's client is at no address of the controller itself.</summary>
    private async ValueTask<Stream> ConnectAsync(OAuthClient client, DnsEndPoint end, CancellationToken cancellationToken)
    {
        var isOperators = _directory.Current.GetDomain(client.DomainId) is { IsSystem: true };
        var addresses = (await Dns.GetHostAddressesAsync(end.Host, cancellationToken)).Where(address => isOperators || SystemAcmeResolver.IsElsewhere(address)).ToArray();
        if (addresses.Length == 0)
            throw new SocketException((int)SocketError.HostNotFound);
        var socket = new Socket(SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        try
        {
            await socket.ConnectAsync(addresses, end.Port, cancellationToken);
            return new NetworkStream(socket, ownsSocket: true);
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }

    /// <summary>Of an authority that this host trusts, or of Candela's own.</summary>
    private bool IsTrusted(object sender, X509Certificate? certificate, X509Chain? sent, SslPolicyErrors errors)
    {
        if (errors != SslPolicyErrors.RemoteCertificateChainErrors || certificate is not X509Certificate2 shown || _trust.Host is not { } trust)
            return errors == SslPolicyErrors.None;
        using var chain = new X509Chain();
        chain.ChainPolicy.TrustMode = X509ChainTrustMode.CustomRootTrust;
        chain.ChainPolicy.RevocationMode = X509RevocationMode.NoCheck;
        chain.ChainPolicy.DisableCertificateDownloads = true;
        chain.ChainPolicy.ApplicationPolicy.Add(new System.Security.Cryptography.Oid("1.3.6.1.5.5.7.3.1"));
        foreach (var root in trust.Authority.Roots)
            chain.ChainPolicy.CustomTrustStore.Add(X509CertificateLoader.LoadCertificate(root.Span));
        if (sent is not null)
            chain.ChainPolicy.ExtraStore.AddRange(sent.ChainPolicy.ExtraStore);
        try
        {
            return chain.Build(shown);
        }
        finally
        {
            foreach (var root in chain.ChainPolicy.CustomTrustStore)
                root.Dispose();
        }
    }

    private static partial class Log
    {
        [LoggerMessage(1, LogLevel.Warning, "The client {Client} could not be told that a session has ended: see that its address for back-channel logout is reached from here")]
        public static partial void Failed(ILogger logger, string client, Exception reason);

        [LoggerMessage(2, LogLevel.Warning, "Too many clients wait to be told that sessions have ended: one is not told")]
        public static partial void Full(ILogger logger);
    }
}
