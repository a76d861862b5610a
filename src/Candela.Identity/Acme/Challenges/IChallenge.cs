using System.Text.Json;

namespace Candela.Identity.Acme.Challenges;

/// <summary>A way to prove that one has a name (RFC 8555, section 8).</summary>
internal interface IChallenge
{
    /// <summary>Tries it.</summary>
    /// <param name="name">Name to be proved.</param>
    /// <param name="keyAuthorization">Token and thumbprint of the account's key (section 8.1).</param>
    /// <param name="token">The token alone.</param>
    /// <param name="payload">The client's response.</param>
    /// <param name="cancellationToken">Ends the call.</param>
    /// <returns>Null: proved; else why not.</returns>
    Task<AcmeError?> TryAsync(string name, string keyAuthorization, string token, JsonElement payload, CancellationToken cancellationToken);
}
