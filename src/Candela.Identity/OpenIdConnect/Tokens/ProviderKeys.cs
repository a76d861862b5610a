using Candela.Identity.Jose;
using Candela.Identity.Secrets;
using Candela.State;
using Microsoft.Extensions.Logging;

namespace Candela.Identity.OpenIdConnect.Tokens;

/// <summary>The provider's signing keys, of two kinds.</summary>
internal sealed class ProviderKeys(IStateStore store, ISecretBox secrets, OpenIdOptions options, TimeProvider time, ILogger<ProviderKeys> logger) : IAsyncDisposable
{
    /// <summary>Keys of all tokens, but for what a client asks for otherwise.</summary>
    // No token of these keys lives longer than an hour.
    public JwtSigningKeys Signing { get; } =
        new(store, secrets, new JwtKeySchedule(OpenIdKeys.SigningKeys, TimeSpan.FromHours(1), options.KeyLifetime, options.KeyAnnouncement), time, logger);

    /// <summary>Keys for ID tokens of clients that know RSA only.</summary>
    public JwtSigningKeys Rsa { get; } = new(
        store, secrets, new JwtKeySchedule(OpenIdKeys.RsaSigningKeys, TimeSpan.FromHours(1), options.KeyLifetime, options.KeyAnnouncement) { Algorithm = JwsAlgorithm.Rs256 }, time, logger);

    public async ValueTask DisposeAsync()
    {
        await Signing.DisposeAsync();
        await Rsa.DisposeAsync();
    }
}
