using System.Text.Json;
using Candela.Identity.Jose;
using Candela.Identity.Workloads;
using Candela.Model;

namespace Candela.Identity.Acme.Challenges;

/// <summary>
/// candela-attested-01: a container shows a JWT-SVID with the audience <c>acme:KEY-AUTHORIZATION</c>, which it got from the Workload API over
/// the host's own channel. The names that the platform gave the container are the ones it has. The client's response is
/// <c>{"svid": "…"}</c>.
/// </summary>
internal sealed class AttestedChallenge(TrustDomain domain) : IChallenge
{
    public const string Type = "candela-attested-01";

    private const string AudiencePrefix = "acme:";

    public async Task<AcmeError?> TryAsync(string name, string keyAuthorization, string token, JsonElement payload, CancellationToken cancellationToken)
    {
        if (payload.Text("svid") is not { } svid)
            return new AcmeError("malformed", "the response has no svid");
        try
        {
            var names = await domain.NamesOfAsync(svid, AudiencePrefix + keyAuthorization, cancellationToken);
            return names.Contains(name) ? null : new AcmeError("unauthorized", $"the platform did not give this container the name {name}");
        }
        catch (CandelaException e) when (e.Code == ErrorCode.Unauthenticated)
        {
            return new AcmeError("unauthorized", e.Message);
        }
    }
}
