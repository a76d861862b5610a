using System.Security.Cryptography.X509Certificates;
using Candela.Identity.Accounts;
using Candela.Identity.Saml.Assertions;
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

/// <summary>The Web Browser SSO profile (saml-profiles-2.0-os, 4.1): request in by Redirect or POST, response out by POST.</summary>
internal sealed class SingleSignOn(
    ServiceProviders providers,
    NameIdentifiers names,
    SamlSessions sessions,
    SamlSigningKeys keys,
    ISignInSessions signIn,
    IDirectory directory,
    ISecretBox secrets,
    SamlOptions options,
    SignInOptions signInOptions,
    TimeProvider time)
{
    /// <summary>Where a good request goes on, with the browser's cookie: a form that another site posts comes without.</summary>
    public const string ContinuePath = "/saml/sso/continue";

    /// <summary>Takes a request in.</summary>
    /// <exception cref="SamlException">It is refused; as nothing says that it comes from a service provider, nobody is answered but the person.</exception>
    public async Task<SamlAnswer> ReceiveAsync(IncomingMessage message, CancellationToken cancellationToken)
    {
        if (message.Kind != SamlMessageKind.Request)
            throw new SamlException("this address takes AuthnRequests, not responses");
        var request = AuthnRequest.Read(message.Root);
        var provider = await FindAsync(request.Header.Issuer, cancellationToken);
        if (message.IsSigned)
            message.VerifyWith(provider);
        else if (provider.RequireSignedRequests)
            throw new SamlException($"requests of {provider.Name} must be signed");
        var now = time.GetUtcNow();
        request.Header.Check(options.SignOnAddress, message.IsSigned, options, now);
        var pending = new PendingSignOn(
            provider.Name,
            provider.EntityId,
            request.Header.Id,
            ConsumerOf(request, provider),
            message.RelayState,
            KindOf(request, provider),
            request.Contexts,
            request.ForceAuthn,
            request.IsPassive,
            now);
        return new SamlAnswer.Redirect($"{ContinuePath}?request={secrets.Seal(pending, SamlJson.Default.PendingSignOn)}");
    }

    /// <summary>Answers a request, or leads to the sign-in page first.</summary>
    /// <param name="context">Request of the browser, with its cookie.</param>
    /// <param name="state">What <see cref="ReceiveAsync"/> has put into the address.</param>
    /// <param name="cancellationToken">Ends the call.</param>
    /// <returns>What to do next, and who has been signed in to what (null: nobody).</returns>
    /// <exception cref="SamlException">The address is not ours, too old, or was used.</exception>
    /// <exception cref="SamlRefusal">Who is signed in may not sign in there.</exception>
    public async Task<(SamlAnswer Answer, SignInSession? Session, SamlServiceProvider Provider)> ContinueAsync(HttpContext context, string? state, CancellationToken cancellationToken)
    {
        var pending = secrets.TryOpen(state, SamlJson.Default.PendingSignOn) ?? throw SamlException.StrangeAddress();
        var now = time.GetUtcNow();
        if (now - pending.ReceivedAt > options.SignInTime)
            throw new SamlException("too much time has passed: go back to the program that you want to use and sign in again");
        // As it is now: it may have been changed or removed while somebody typed.
        var provider = await FindAsync(pending.EntityId, cancellationToken);
        if (provider.Name != pending.Provider || provider.AssertionConsumers.All(e => e.Location != pending.Consumer))
            throw new SamlException("the service provider was changed meanwhile: go back to it and try again");
        var session = await signIn.FindAsync(context, cancellationToken);
        if (session is null || (pending.ForceAuthn && session.SignedInAt < pending.ReceivedAt))
        {
            return (pending.IsPassive
                ? Failure(pending, SamlNames.StatusResponder, SamlNames.StatusNoPassive)
                : new SamlAnswer.Redirect(signIn.SignInPath($"{ContinuePath}?request={state}", again: pending.ForceAuthn)), null, provider);
        }

        if (!MaySignIn(session.Account, provider))
        {
            return pending.IsPassive
                ? (Failure(pending, SamlNames.StatusResponder, SamlNames.StatusDenied), null, provider)
                : throw new SamlRefusal($"{session.Account.Name} may not sign in to {provider.DisplayName ?? provider.Name}: ask an administrator of it, or sign out and in with another account.");
        }

        if (AuthenticationContexts.Choose(pending.Contexts, session.Methods) is not { } authentication)
            return (Failure(pending, SamlNames.StatusResponder, SamlNames.StatusNoContext), null, provider);
        var present = await sessions.FindAsync(session.Id, provider.Name, cancellationToken);
        var format = NameIdentifiers.FormatOf(pending.NameId);
        var name = present?.NameIdFormat == format ? present.NameId : await names.OfAsync(session.Account, provider, pending.NameId, cancellationToken);
        if (name is null)
            return (Failure(pending, SamlNames.StatusResponder, SamlNames.StatusNameIdPolicy), null, provider);
        var began = new SamlSession(session.Id, provider.Name, provider.EntityId, present?.Index ?? MessageWriter.NewId(), format, name);
        if (!await sessions.BeginAsync(began, pending.RequestId, cancellationToken))
            throw new SamlException("the request was answered before: go back to the program that you want to use");
        return (Success(pending, provider, session, began, authentication, now), session, provider);
    }

    /// <summary>The service provider of an entity id, if it may be used.</summary>
    private async Task<SamlServiceProvider> FindAsync(string entityId, CancellationToken cancellationToken) =>
        await providers.FindByEntityAsync(entityId, cancellationToken) is { Enabled: true } provider && directory.Current.GetDomain(provider.DomainId) is { Enabled: true }
            ? provider
            : throw new SamlException("the program is not registered here as a service provider, or is disabled: ask an administrator");

    private static string ConsumerOf(AuthnRequest request, SamlServiceProvider provider)
    {
        if (request.ResponseBinding is not (null or SamlNames.PostBinding))
            throw new SamlException("responses go by HTTP-POST only");
        if (request.ConsumerAddress is { } address)
        {
            // Exactly: no prefix, no other spelling.
            return request.ConsumerIndex is null && provider.AssertionConsumers.Any(e => e.Location == address)
                ? address
                : throw new SamlException("the request names an address for the response that is not registered");
        }

        return request.ConsumerIndex is not { } index ? provider.AssertionConsumers[0].Location
            : provider.AssertionConsumers.FirstOrDefault(e => e.Index == index)?.Location
            ?? throw new SamlException("the request names an address for the response that is not registered");
    }

    private static SamlNameIdKind KindOf(AuthnRequest request, SamlServiceProvider provider)
    {
        if (request.NameQualifier is { } qualifier && qualifier != provider.EntityId)
            throw new SamlException("the request wants a name identifier of another service provider");
        return request.NameIdFormat is null or SamlNames.UnspecifiedNameId ? provider.NameId
            : NameIdentifiers.KindOf(request.NameIdFormat) ?? throw new SamlException("the request wants a name identifier that is neither persistent, emailAddress nor transient");
    }

    private bool MaySignIn(DirectoryEntry account, SamlServiceProvider provider) =>
        account.DomainId == provider.DomainId && account is User or ServiceAccount &&
        (provider.AllowedGroups.Count == 0 || directory.Current.EffectiveGroups(account.Id).Overlaps(provider.AllowedGroups));

    private SamlAnswer.Post Success(PendingSignOn pending, SamlServiceProvider provider, SignInSession session, SamlSession began, string authentication, DateTimeOffset now)
    {
        using var encryptFor = provider.EncryptionCertificate is { } der ? X509CertificateLoader.LoadCertificate(der) : null;
        var current = directory.Current;
        var xml = ResponseWriter.Success(
            new AssertionContent
            {
                Issuer = options.EntityId,
                Audience = provider.EntityId,
                Recipient = pending.Consumer,
                InResponseTo = pending.RequestId,
                NameIdFormat = began.NameIdFormat,
                NameId = began.NameId,
                SessionIndex = began.Index,
                SignedInAt = session.SignedInAt,
                Context = authentication,
                IssuedAt = now,
                NotOnOrAfter = now + options.AssertionLifetime,
                ClockSkew = options.ClockSkew,
                SessionNotOnOrAfter = session.SignedInAt + signInOptions.Lifetime,
                Attributes = [.. provider.Attributes.Select(a => KeyValuePair.Create(a.Key, SamlAttributes.ValuesOf(a.Value, session.Account, current)))],
            },
            encryptFor,
            keys.Current);
        return new SamlAnswer.Post(pending.Consumer, SamlMessageKind.Response, xml, pending.RelayState);
    }

    private SamlAnswer.Post Failure(PendingSignOn pending, string code, string detail) => new(
        pending.Consumer,
        SamlMessageKind.Response,
        ResponseWriter.Failure(options.EntityId, pending.Consumer, pending.RequestId, time.GetUtcNow(), code, detail, keys.Current),
        pending.RelayState);
}
