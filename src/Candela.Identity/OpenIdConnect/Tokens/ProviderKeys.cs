using Candela.Identity.Jose;
using Candela.Identity.Secrets;
using Candela.State;
using Microsoft.Extensions.Logging;

namespace Candela.Identity.OpenIdConnect.Tokens;

/// <summary>The provider's signing keys.</summary>
internal sealed class ProviderKeys(IStateStore store, ISecretBox secrets, OpenIdOptions options, TimeProvider time, ILogger<ProviderKeys> logger) : IAsyncDisposable
{
    // No token of these keys lives longer than an hour.
    public JwtSigningKeys Signing { get; } =
        new(store, secrets, new JwtKeySchedule(OpenIdKeys.SigningKeys, TimeSpan.FromHours(1), options.KeyLifetime, options.KeyAnnouncement), time, logger);

    public ValueTask DisposeAsync() => Signing.DisposeAsync();
}
