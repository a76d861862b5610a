using Candela.Identity.Accounts;
using Candela.Identity.Administration;
using Candela.Identity.Auditing;
using Candela.Identity.Authentication;
using Candela.Identity.Kerberos;
using Candela.Identity.Ldap.Protocol;
using Candela.Identity.Ldap.Server;
using Candela.Identity.Ldap.Tree;
using Candela.Model;

namespace Candela.Identity.Ldap.Operations;

/// <summary>Binds (RFC 4511, 4.2; RFC 4513, 5). Every refusal looks the same and takes the same time.</summary>
internal sealed class BindOperation(IDirectory directory, PasswordCheck passwords, ProtocolAudit audit, IClientCertificates? certificates = null, TicketAcceptor? tickets = null)
{
    private const int ProtocolVersion = 3;
    private const string Action = "ldap.bind";

    /// <summary>Binds; whatever comes of it, the connection is first anonymous (RFC 4511, 4.2.1).</summary>
    public async ValueTask<LdapAnswer> RunAsync(LdapSession session, BindRequest request, IReadOnlyList<LdapControl> controls)
    {
        session.Reset();
        var begun = session.Gssapi;
        session.Gssapi = null;
        if (request.Mechanism == SaslMechanisms.Gssapi && request.Version == ProtocolVersion && tickets is not null && !session.IsLayered)
            return ByTicket(session, begun ?? new SaslGssapi(tickets, isProtected: session.IsTls || session.IsLocal), request.Credentials);
        begun?.Dispose();
        if (request.Version != ProtocolVersion)
            return new LdapResult(ResultCode.ProtocolError, "only version 3 of LDAP is spoken here");
        try
        {
            return request.Password is { } password
                ? await SimpleAsync(session, request.Name, password, PasswordPolicyControl.IsAskedFor(controls))
                : await SaslAsync(session, request.Mechanism!, request.Credentials, PasswordPolicyControl.IsAskedFor(controls));
        }
        catch (LdapException e)
        {
            return e.Result;
        }
        catch (CandelaException e)
        {
            return Results.Of(e);
        }
    }

    private async ValueTask<LdapAnswer> SimpleAsync(LdapSession session, string name, byte[] password, bool withPolicy)
    {
        if (name.Length == 0 && password.Length == 0)
            return LdapAnswer.Success; // anonymous (RFC 4513, 5.1.1)
        if (password.Length == 0)
            return new LdapResult(ResultCode.UnwillingToPerform, "a name without a password authenticates nobody"); // RFC 4513, 5.1.2
        if (!session.IsConfidential)
            return new LdapResult(ResultCode.ConfidentialityRequired, "passwords are taken under TLS only: use ldaps or StartTLS");
        return await CheckAsync(session, name, AccountNames.Parse(directory.Current, name), StrictUtf8.TextOf(password), withPolicy);
    }

    private async ValueTask<LdapAnswer> SaslAsync(LdapSession session, string mechanism, byte[]? credentials, bool withPolicy)
    {
        switch (mechanism)
        {
            case SaslMechanisms.Plain when !session.IsConfidential:
                return new LdapResult(ResultCode.ConfidentialityRequired, "passwords are taken under TLS only: use ldaps or StartTLS");
            case SaslMechanisms.Plain when credentials is null:
                return new LdapAnswer(new LdapResult(ResultCode.SaslBindInProgress), Value: []); // RFC 4422, 3.3: the client speaks first, when asked
            case SaslMechanisms.Plain:
                var plain = SaslPlain.Parse(credentials) ?? throw new LdapException(ResultCode.ProtocolError, "not a message of PLAIN (RFC 4616)");
                var login = LoginName.Parse(plain.Login);

                // Whom somebody wants to act as can only be who they are.
                bool isSame = plain.AuthorizationIdentity.Length == 0 || IsSame(plain.AuthorizationIdentity, login);
                return await CheckAsync(session, plain.Login, isSame ? login : AccountNames.Nobody, plain.Password, withPolicy);
            case SaslMechanisms.External:
                return await ExternalAsync(session, credentials);
            default:
                return new LdapResult(ResultCode.AuthMethodNotSupported, $"there is no such SASL mechanism here; now there are: {string.Join(' ', session.Mechanisms)}");
        }
    }

    /// <summary>By the client's certificate (RFC 4422, appendix A).</summary>
    private async ValueTask<LdapAnswer> ExternalAsync(LdapSession session, byte[]? credentials)
    {
        if (session.ClientCertificate.IsEmpty || certificates is null)
            return new LdapResult(ResultCode.InappropriateAuthentication, "the client has shown no certificate in the TLS handshake");
        var account = await certificates.FindAccountAsync(session.ClientCertificate, CancellationToken.None);
        if (account is not null && credentials is { Length: > 0 } && !(StrictUtf8.TextOf(credentials) is { } identity && IsSame(identity, AccountNames.Of(directory.Current, account))))
            account = null;
        var result = account is null
            ? new AuthenticationResult(AuthenticationOutcome.Refused, null, RefusalReason.UnknownAccount)
            : new AuthenticationResult(AuthenticationOutcome.Succeeded, account);
        if (account is not null)
            session.Become(account, mustChangePassword: false);
        else
            session.RefusedBindCount++;
        Record(session, SaslMechanisms.External, result, account is not null);
        return account is null ? LdapResult.InvalidCredentials : LdapAnswer.Success;
    }

    /// <summary>By a Kerberos ticket (RFC 4752).</summary>
    private LdapAnswer ByTicket(LdapSession session, SaslGssapi begun, byte[]? credentials)
    {
        if (credentials is null && begun.IsNew)
        {
            session.Gssapi = begun;
            return new LdapAnswer(new LdapResult(ResultCode.SaslBindInProgress), Value: []); // RFC 4422, 3.3: the client speaks first, when asked
        }

        if (begun.Step(credentials) is { } answer)
        {
            session.Gssapi = begun;
            return new LdapAnswer(new LdapResult(ResultCode.SaslBindInProgress), Value: answer);
        }

        var account = begun.IsDone ? begun.FindAccount() : null;
        if (account is not null && begun.AuthorizationIdentity.Length > 0 && !IsSame(begun.AuthorizationIdentity, AccountNames.Of(directory.Current, account)))
            account = null;
        var result = account is null
            ? new AuthenticationResult(AuthenticationOutcome.Refused, null, RefusalReason.UnknownAccount)
            : new AuthenticationResult(AuthenticationOutcome.Succeeded, account);
        if (account is not null)
            session.Become(account, mustChangePassword: false);
        else
            session.RefusedBindCount++;
        Record(session, $"{SaslMechanisms.Gssapi} {begun.Principal}".TrimEnd(), result, account is not null);
        if (account is not null && begun.LayerBytes > 0)
            session.Gssapi = begun; // the connection goes on below it
        else
            begun.Dispose();
        return account is null ? LdapResult.InvalidCredentials : LdapAnswer.Success;
    }

    /// <summary>An authorization identity (RFC 4513, 5.2.1.8) is that of an account.</summary>
    private bool IsSame(string identity, LoginName login)
    {
        var current = directory.Current;
        return AccountNames.Find(current, login) is { } account &&
            (identity.StartsWith("dn:", StringComparison.OrdinalIgnoreCase) ? DirectoryTree.FindEntry(current, identity[3..])
                : identity.StartsWith("u:", StringComparison.OrdinalIgnoreCase) ? AccountNames.Find(current, LoginName.Parse(identity[2..]))
                : null)?.Id == account.Id;
    }

    private async ValueTask<LdapAnswer> CheckAsync(LdapSession session, string name, LoginName login, string? password, bool withPolicy)
    {
        var result = password is not null
            ? await passwords.CheckAsync(login, password, CancellationToken.None)
            : new AuthenticationResult(AuthenticationOutcome.Refused, null, RefusalReason.WrongPassword);
        bool isChanging = result.Outcome == AuthenticationOutcome.PasswordChangeRequired && withPolicy;
        bool isIn = result.Outcome == AuthenticationOutcome.Succeeded || isChanging;
        if (isIn)
            session.Become(result.Account!, mustChangePassword: isChanging);
        else if (result.Outcome != AuthenticationOutcome.Busy)
            session.RefusedBindCount++;
        Record(session, name, result, isIn);
        return result.Outcome switch
        {
            AuthenticationOutcome.Succeeded => LdapAnswer.Success,
            AuthenticationOutcome.PasswordChangeRequired when withPolicy => new LdapAnswer(LdapResult.Success, PasswordPolicyControl.MustChange()),
            AuthenticationOutcome.PasswordChangeRequired =>
                new LdapResult(ResultCode.InvalidCredentials, "the password must be changed first: use the Password Modify operation with the present one (ldappasswd -a)"),
            AuthenticationOutcome.SecondFactorRequired => new LdapResult(ResultCode.InvalidCredentials, "a one-time code is needed, too: put it behind the password"),
            AuthenticationOutcome.Busy => new LdapResult(ResultCode.Busy, "too many sign-ins at once: try again in a moment"),
            _ => LdapResult.InvalidCredentials,
        };
    }

    private void Record(LdapSession session, string name, AuthenticationResult result, bool isIn)
    {
        const int NameLength = 256;
        var shown = name.Length <= NameLength ? name : name[..NameLength];
        var actor = result.Account is { } account ? Actor.Of(account, directory.Current.GetDomain(account.DomainId)!, session.From) : Actor.Unproven(shown, session.From);
        if (isIn)
            audit.Done(actor, Action, shown);
        else
            audit.Refused(actor, Action, shown, new CandelaException(ErrorCode.Unauthenticated, result.Outcome == AuthenticationOutcome.Refused ? $"{result.Reason}" : $"{result.Outcome}"));
    }
}
