using System.Net.Http.Headers;

namespace Candela.Images.Registry;

/// <summary>One request, which may be sent several times: to redirect targets, with credentials, after a failure.</summary>
internal sealed record RegistryRequest
{
    /// <summary>Where to.</summary>
    public required Uri Uri { get; init; }

    /// <summary>Media types that the answer may have; empty: any.</summary>
    public IReadOnlyList<string> Accept { get; init; } = [];

    /// <summary>Credentials for <see cref="Uri"/>'s origin only.</summary>
    public AuthenticationHeaderValue? Authorization { get; init; }

    /// <summary>First byte wanted; 0: the whole.</summary>
    public long RangeStart { get; init; }

    /// <summary>Method.</summary>
    public HttpMethod Method { get; init; } = HttpMethod.Get;

    /// <summary>Form to POST; null: none.</summary>
    public IReadOnlyDictionary<string, string>? Form { get; init; }

    /// <summary>Makes the body anew for each sending; null: none.</summary>
    public Func<HttpContent>? Body { get; init; }

    /// <summary>Whether two addresses are the same scheme, host and port.</summary>
    public static bool SameOrigin(Uri one, Uri other)
        => one.Scheme == other.Scheme && one.Port == other.Port && one.IdnHost.Equals(other.IdnHost, StringComparison.OrdinalIgnoreCase);

    /// <summary>The message that goes to one target.</summary>
    public HttpRequestMessage ToMessage(Uri target, bool authorized)
    {
        var message = new HttpRequestMessage(Form is null ? Method : HttpMethod.Post, target);
        message.Headers.UserAgent.ParseAdd("candela/" + typeof(RegistryRequest).Assembly.GetName().Version?.ToString(3));
        foreach (var type in Accept)
            message.Headers.Accept.Add(new MediaTypeWithQualityHeaderValue(type));
        if (RangeStart > 0)
            message.Headers.Range = new RangeHeaderValue(RangeStart, null);
        if (authorized)
            message.Headers.Authorization = Authorization;
        if (Form is not null)
            message.Content = new FormUrlEncodedContent(Form);
        else if (Body is not null)
            message.Content = Body();
        return message;
    }
}
