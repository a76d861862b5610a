namespace Candela.Model.Identity;

/// <summary>Order of a keytab.</summary>
public sealed record KeytabRequest
{
    /// <summary>Service account: <c>NAME@DOMAIN</c>, or the name in the system domain.</summary>
    public required string Account { get; init; }

    /// <summary>Services of the account, such as <c>HTTP/www.example.org</c>; none, or absent: the account itself.</summary>
    public IReadOnlyList<string>? Services { get; init; }
}

/// <summary>A keytab with new keys.</summary>
/// <param name="Principals">Whose keys are in it.</param>
/// <param name="Keytab">Content of the file, base64.</param>
public sealed record KeytabReport(IReadOnlyList<string> Principals, byte[] Keytab)
{
    /// <summary>Says nothing of the keys.</summary>
    public override string ToString() => nameof(KeytabReport);
}

/// <summary>A Kerberos principal of a service.</summary>
/// <param name="Principal">Name with realm.</param>
/// <param name="Account">Whose it is; null: the platform's own, or of an account that is gone.</param>
/// <param name="KeyVersion">Number of its keys (kvno).</param>
/// <param name="CreatedAt">When it was made.</param>
public sealed record KerberosServiceReport(string Principal, string? Account, uint KeyVersion, DateTimeOffset CreatedAt);
