using System.Diagnostics;
using System.Text;
using Candela.Identity.Accounts;
using Candela.Identity.Administration;
using Candela.Identity.Authentication;
using Candela.Identity.Ldap.Protocol;
using Candela.Identity.Ldap.Server;
using Candela.Model;

namespace Candela.Identity.Ldap.Operations;

/// <summary>Binds (RFC 4511, 4.2; RFC 4513, 5). Every refusal looks the same and takes the same time.</summary>
internal sealed class BindOperation(IDirectory directory, PasswordCheck passwords, IAuditSink audit)
{
    private const int ProtocolVersion = 3;

    private static readonly UTF8Encoding StrictUtf8 = new(encoderShouldEmitUTF8Identifier: false, throwOnInvalidBytes: true);

    /// <summary>Binds; whatever comes of it, the connection is first anonymous (RFC 4511, 4.2.1).</summary>
    public async ValueTask<LdapAnswer> RunAsync(LdapSession session, BindRequest request, IReadOnlyList<LdapControl> controls)
    {
        session.Reset();
        if (request.Version != ProtocolVersion)
            return new LdapResult(ResultCode.ProtocolError, "only version 3 of LDAP is spoken here");
        try
        {
            return request.Password is { } password
                ? await SimpleAsync(session, request.Name, password, PasswordPolicyControl.IsAskedFor(controls))
                : new LdapResult(ResultCode.AuthMethodNotSupported, "there is no such SASL mechanism here");
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
        return await CheckAsync(session, name, AccountNames.Parse(directory.Current, name), password, withPolicy);
    }

    private async ValueTask<LdapAnswer> CheckAsync(LdapSession session, string name, LoginName login, byte[] password, bool withPolicy)
    {
        long started = Stopwatch.GetTimestamp();
        var result = TextOf(password) is { } text
            ? await passwords.CheckAsync(login, text, CancellationToken.None)
            : new AuthenticationResult(AuthenticationOutcome.Refused, null, RefusalReason.WrongPassword);
        bool isChanging = result.Outcome == AuthenticationOutcome.PasswordChangeRequired && withPolicy;
        bool isIn = result.Outcome == AuthenticationOutcome.Succeeded || isChanging;
        if (isIn)
            session.Become(result.Account!, mustChangePassword: isChanging);
        else if (result.Outcome != AuthenticationOutcome.Busy)
            session.RefusedBindCount++;
        Record(session, name, result, isIn, Stopwatch.GetElapsedTime(started));
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

    private static string? TextOf(byte[] password)
    {
        try
        {
            return StrictUtf8.GetString(password);
        }
        catch (DecoderFallbackException)
        {
            return null;
        }
    }

    private void Record(LdapSession session, string name, AuthenticationResult result, bool isIn, TimeSpan duration)
    {
        const int NameLength = 256;
        var shown = name.Length <= NameLength ? name : name[..NameLength];
        var actor = result.Account is { } account ? Actor.Of(account, directory.Current.GetDomain(account.DomainId)!, session.From) : Actor.Unproven(shown, session.From);
        var failure = isIn ? null : new CandelaException(ErrorCode.Unauthenticated, result.Outcome == AuthenticationOutcome.Refused ? $"{result.Reason}" : $"{result.Outcome}");
        audit.Record(new AuditRecord(actor, "ldap.bind", shown, failure, duration));
    }
}
