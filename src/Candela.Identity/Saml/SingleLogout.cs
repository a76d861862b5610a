using Candela.Identity.Saml.Bindings;
using Candela.Identity.Saml.Keys;
using Candela.Identity.Saml.Protocol;
using Candela.Identity.Saml.Providers;
using Candela.Identity.Saml.Sessions;
using Candela.Identity.Saml.Storage;
using Candela.Identity.Secrets;
using Candela.Identity.SignIn;
using Microsoft.AspNetCore.Http;

namespace Candela.Identity.Saml;

/// <summary>
/// The Single Logout profile (saml-profiles-2.0-os, 4.4) by the front channel: the browser goes from one service provider to the next, and in
/// the end back to where it began. The sign-in session ends first: whatever a service provider does, nobody is signed in any more.
/// </summary>
internal sealed class SingleLogout(
    ServiceProviders providers, SamlSessions sessions, SamlSigningKeys keys, ISignInSessions signIn, ISecretBox secrets, SamlOptions options, TimeProvider time)
{
    /// <summary>Where a good request goes on, with the browser's cookie.</summary>
    public const string ContinuePath = "/saml/slo/continue";

    /// <summary>Takes a request or a response in; both must be signed.</summary>
    /// <exception cref="SamlException">It is refused.</exception>
    public Task<SamlAnswer> ReceiveAsync(IncomingMessage message, CancellationToken cancellationToken) =>
        message.Kind == SamlMessageKind.Request ? ReceiveRequestAsync(message, cancellationToken) : ReceiveResponseAsync(message, cancellationToken);

    /// <summary>Ends the session, and tells the other service providers.</summary>
    /// <param name="context">Request of the browser, with its cookie.</param>
    /// <param name="state">What <see cref="ReceiveAsync"/> has put into the address.</param>
    /// <param name="cancellationToken">Ends the call.</param>
    /// <exception cref="SamlException">The address is not ours, or too old.</exception>
    public async Task<SamlAnswer> ContinueAsync(HttpContext context, string? state, CancellationToken cancellationToken)
    {
        var received = secrets.TryOpen(state, SamlJson.Default.ReceivedLogout) ?? throw SamlException.StrangeAddress();
        if (time.GetUtcNow() - received.ReceivedAt > options.LogoutTime)
            throw new SamlException("too much time has passed: sign out again");
        var provider = await providers.FindAsync(received.Provider, cancellationToken) ?? throw new SamlException("the service provider is no longer registered");
        if (!await sessions.UseAsync(provider.EntityId, received.RequestId, cancellationToken))
            throw new SamlException("the request to sign out came before");
        var ended = new List<SamlSession>();
        foreach (var id in await SignInSessionsAsync(context, received, cancellationToken))
        {
            ended.AddRange(await sessions.ListAsync(id, cancellationToken));
            await signIn.EndAsync(id, cancellationToken);
        }

        await sessions.EndAsync(ended, cancellationToken);
        return await GoOnAsync(
            new PendingLogout(provider.Name, received.RequestId, received.RelayState, null, null, [.. ended.Where(s => s.Provider != provider.Name)], false, time.GetUtcNow() + options.LogoutTime),
            cancellationToken);
    }

    /// <summary>Tells the service providers of a sign-in session that has ended here.</summary>
    /// <param name="signInSession">The session.</param>
    /// <param name="returnTo">Where to lead in the end; null: to a page that says so.</param>
    /// <param name="cancellationToken">Ends the call.</param>
    public async Task<SamlAnswer> BeginAsync(string signInSession, string? returnTo, CancellationToken cancellationToken)
    {
        var ended = await sessions.ListAsync(signInSession, cancellationToken);
        await sessions.EndAsync(ended, cancellationToken);
        return await GoOnAsync(new PendingLogout(null, null, null, null, null, ended, false, time.GetUtcNow() + options.LogoutTime, returnTo), cancellationToken);
    }

    private async Task<SamlAnswer> ReceiveRequestAsync(IncomingMessage message, CancellationToken cancellationToken)
    {
        var request = LogoutRequest.Read(message.Root, time.GetUtcNow());
        var provider = await VerifyAsync(message, request.Header, cancellationToken);
        var received = new ReceivedLogout(provider.Name, request.Header.Id, request.NameId, request.SessionIndexes, message.RelayState, time.GetUtcNow());
        return new SamlAnswer.Redirect($"{ContinuePath}?request={secrets.Seal(received, SamlJson.Default.ReceivedLogout)}");
    }

    private async Task<SamlAnswer> ReceiveResponseAsync(IncomingMessage message, CancellationToken cancellationToken)
    {
        var response = LogoutResponse.Read(message.Root);
        var provider = await VerifyAsync(message, response.Header, cancellationToken);
        if (response.Header.InResponseTo is not { } requestId || await sessions.TakeLogoutAsync(requestId, cancellationToken) is not { } logout)
            throw new SamlException("the message answers no request that was made here");
        if (logout.Awaited != provider.Name)
            throw new SamlException("the message answers a request that went to another service provider");
        return await GoOnAsync(logout with { IsPartial = logout.IsPartial || !response.Succeeded }, cancellationToken);
    }

    private async Task<SamlServiceProvider> VerifyAsync(IncomingMessage message, RequestHeader header, CancellationToken cancellationToken)
    {
        if (await providers.FindByEntityAsync(header.Issuer, cancellationToken) is not { Enabled: true, Logout: not null } provider)
            throw new SamlException("the program is not registered here for single logout: ask an administrator");
        message.VerifyWith(provider);
        header.Check(options.LogoutAddress, isSigned: true, options, time.GetUtcNow());
        return provider;
    }

    /// <summary>Sign-in sessions that a request is about: of the person that it names, at this very service provider.</summary>
    private async Task<HashSet<string>> SignInSessionsAsync(HttpContext context, ReceivedLogout received, CancellationToken cancellationToken)
    {
        var found = new HashSet<string>(StringComparer.Ordinal);
        foreach (var index in received.SessionIndexes)
        {
            if (await sessions.FindByIndexAsync(index, received.Provider, cancellationToken) is { } session && session.NameId == received.NameId)
                found.Add(session.SignInSession);
        }

        if (received.SessionIndexes.Count == 0 && await signIn.FindAsync(context, cancellationToken) is { } present &&
            await sessions.FindAsync(present.Id, received.Provider, cancellationToken) is { } own && own.NameId == received.NameId)
            found.Add(present.Id);
        return found;
    }

    /// <summary>Tells the next service provider; when all are told, answers the one that began.</summary>
    private async Task<SamlAnswer> GoOnAsync(PendingLogout logout, CancellationToken cancellationToken)
    {
        while (logout.Remaining is [var next, ..])
        {
            logout = logout with { Remaining = [.. logout.Remaining.Skip(1)] };
            if (await providers.FindAsync(next.Provider, cancellationToken) is { Enabled: true, Logout: { } endpoint } provider && provider.EntityId == next.EntityId)
            {
                var id = MessageWriter.NewId();
                await sessions.PutLogoutAsync(logout with { Awaited = provider.Name, AwaitedRequestId = id }, cancellationToken);
                var request = LogoutMessages.Request(id, options.EntityId, time.GetUtcNow(), endpoint.Location, next.NameIdFormat, next.NameId, next.EntityId, next.Index);
                return Send(endpoint.Location, endpoint.Post, SamlMessageKind.Request, request, relayState: null);
            }

            logout = logout with { IsPartial = true };
        }

        if (logout.Initiator is null || await providers.FindAsync(logout.Initiator, cancellationToken) is not { Logout: { } initiator })
            return new SamlAnswer.SignedOut(logout.IsPartial, logout.ReturnTo);
        var response = LogoutMessages.Response(options.EntityId, time.GetUtcNow(), initiator.ResponseLocation, logout.RequestId!, logout.IsPartial);
        return Send(initiator.ResponseLocation, initiator.Post, SamlMessageKind.Response, response, logout.RelayState);
    }

    private SamlAnswer Send(string destination, bool post, SamlMessageKind kind, System.Xml.XmlElement message, string? relayState)
    {
        var key = keys.Current;
        return post
            ? new SamlAnswer.Post(destination, kind, MessageWriter.Signed(message, key), relayState)
            : new SamlAnswer.Redirect(RedirectBinding.Write(destination, kind, message.OuterXml, relayState, key));
    }
}
