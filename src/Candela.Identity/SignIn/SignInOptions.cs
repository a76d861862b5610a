namespace Candela.Identity.SignIn;

/// <summary>Where people reach identity over HTTPS, and for how long they stay signed in. All controllers of an installation have the same.</summary>
public sealed record SignInOptions
{
    /// <summary>Address of the front door as browsers and clients see it, such as <c>https://candela.example:8443</c>: scheme, host and port only.</summary>
    public required Uri PublicUrl { get; init; }

    /// <summary>How long a session lasts without use.</summary>
    public TimeSpan IdleTime { get; init; } = TimeSpan.FromHours(1);

    /// <summary>How long a session lasts at most; at most 12 hours.</summary>
    public TimeSpan Lifetime { get; init; } = TimeSpan.FromHours(10);

    /// <summary>How long somebody may take between the password and the rest of a sign-in.</summary>
    public TimeSpan PendingTime { get; init; } = TimeSpan.FromMinutes(10);

    /// <summary>The address without a slash at its end: the origin of all pages, and the issuer of tokens.</summary>
    public string Origin => PublicUrl.GetLeftPart(UriPartial.Authority);

    /// <exception cref="ArgumentException">What is out of range.</exception>
    internal void Check()
    {
        if (!PublicUrl.IsAbsoluteUri || PublicUrl.Scheme != "https" || PublicUrl.PathAndQuery != "/" || PublicUrl.Fragment.Length + PublicUrl.UserInfo.Length > 0)
            throw new ArgumentException($"The public URL must be like https://candela.example:8443, without a path: '{PublicUrl}'");
        if (IdleTime < TimeSpan.FromMinutes(1) || Lifetime < IdleTime || Lifetime > Storage.ExpiryLeases.Longest || PendingTime < TimeSpan.FromMinutes(1) || PendingTime > IdleTime)
            throw new ArgumentException("Sessions: 1 minute ≤ pending ≤ idle ≤ lifetime ≤ 12 hours.");
    }
}
