using System.Net.Security;
using Candela.Identity.Accounts;
using Microsoft.AspNetCore.Http;

namespace Candela.Identity.Kerberos;

/// <summary>A Kerberos ticket that came with an HTTP request (RFC 4559).</summary>
/// <param name="Account">Account whose ticket it is; null: it is not accepted, or of nobody who can sign in now.</param>
/// <param name="Principal">Name of the principal, for the audit log; empty: the ticket is not accepted.</param>
public sealed record HttpTicket(DirectoryEntry? Account, string Principal)
{
    private const string Scheme = "Negotiate";

    /// <summary>Accepts the ticket of a request; null: it has none, and the response asks for one. The server's proof goes into the response.</summary>
    /// <remarks>One request is all it takes: what would take more (NTLM) is not accepted, and a connection is never authenticated.</remarks>
    public static HttpTicket? Accept(HttpContext context, TicketAcceptor tickets)
    {
        ArgumentNullException.ThrowIfNull(context);
        ArgumentNullException.ThrowIfNull(tickets);
        var header = context.Request.Headers.Authorization.ToString();
        if (!header.StartsWith(Scheme + " ", StringComparison.OrdinalIgnoreCase))
        {
            context.Response.Headers.WWWAuthenticate = Scheme;
            return null;
        }

        var text = header.AsSpan(Scheme.Length + 1).Trim();
        var token = new byte[TicketAcceptor.TokenBytes];
        if (text.Length > TicketAcceptor.TokenBytes || !Convert.TryFromBase64Chars(text, token, out int length))
            return new HttpTicket(null, "");
        using var negotiation = TicketAcceptor.Begin(withSpnego: true);
        var proof = negotiation.GetOutgoingBlob(token.AsSpan(0, length), out var status);
        if (status != NegotiateAuthenticationStatusCode.Completed)
            return new HttpTicket(null, "");
        if (proof is { Length: > 0 })
            context.Response.Headers.WWWAuthenticate = $"{Scheme} {Convert.ToBase64String(proof)}";
        return new HttpTicket(tickets.FindAccount(negotiation), TicketAcceptor.NameOf(negotiation));
    }
}
