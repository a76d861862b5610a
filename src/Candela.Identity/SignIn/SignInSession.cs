using Candela.Identity.Accounts;

namespace Candela.Identity.SignIn;

/// <summary>Somebody who is signed in with a browser.</summary>
/// <param name="Id">Names the session in tokens (<c>sid</c>) and documents; it gives no access.</param>
/// <param name="Account">Who; enabled, as is its domain.</param>
/// <param name="SignedInAt">When they proved who they are.</param>
/// <param name="Methods">How, as authentication method references (RFC 8176), such as <c>pwd</c>, <c>otp</c>, <c>hwk</c>, and <c>mfa</c> for two kinds.</param>
public sealed record SignInSession(string Id, DirectoryEntry Account, DateTimeOffset SignedInAt, IReadOnlyList<string> Methods);
