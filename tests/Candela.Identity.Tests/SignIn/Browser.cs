using System.Net;
using System.Security.Cryptography.X509Certificates;
using System.Text.RegularExpressions;

namespace Candela.Identity.Tests.SignIn;

/// <summary>As much of a browser as forms need: one cookie jar, redirects by hand, the first form of a page.</summary>
/// <param name="address">Server.</param>
/// <param name="cookie">Session cookie that it has already.</param>
/// <param name="roots">Whom to trust; null: whom this host trusts.</param>
public sealed partial class Browser(Uri address, string? cookie = null, X509Certificate2Collection? roots = null) : IDisposable
{
    private readonly HttpClient _client = new(Handler(roots)) { BaseAddress = address };

    private static SocketsHttpHandler Handler(X509Certificate2Collection? roots)
    {
        var handler = new SocketsHttpHandler { AllowAutoRedirect = false, UseCookies = false };
        if (roots is not null)
        {
            handler.SslOptions.CertificateChainPolicy = new X509ChainPolicy { TrustMode = X509ChainTrustMode.CustomRootTrust, RevocationMode = X509RevocationMode.NoCheck };
            handler.SslOptions.CertificateChainPolicy.CustomTrustStore.AddRange(roots);
        }

        return handler;
    }

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    /// <summary>Value of the session cookie.</summary>
    public string? Cookie { get; set; } = cookie;

    /// <summary>Header fields of the next posts.</summary>
    public Dictionary<string, string> PostHeaders { get; } = [];

    public Task<Page> GetAsync(string path) => SendAsync(new HttpRequestMessage(HttpMethod.Get, path));

    /// <summary>Sends the page's form with these fields over its hidden ones.</summary>
    public Task<Page> SubmitAsync(Page page, params (string Name, string Value)[] fields)
    {
        var all = page.Hidden.ToDictionary(field => field.Key, field => field.Value);
        foreach (var (name, value) in fields)
            all[name] = value;
        return PostAsync(page.Action, all);
    }

    public Task<Page> PostAsync(string path, Dictionary<string, string> fields)
    {
        var request = new HttpRequestMessage(HttpMethod.Post, path) { Content = new FormUrlEncodedContent(fields) };
        foreach (var (name, value) in PostHeaders)
            request.Headers.TryAddWithoutValidation(name, value);
        return SendAsync(request);
    }

    /// <summary>Follows redirects, and pages that lead on, within the server.</summary>
    public async Task<Page> FollowAsync(Page page)
    {
        for (var count = 0; count < 10 && page.Next is { } next && next.StartsWith('/'); count++)
            page = await GetAsync(next);
        return page;
    }

    /// <summary>Signs in by name and password.</summary>
    public async Task<Page> SignInAsync(string name, string password, string to = "/account")
    {
        var page = await GetAsync("/sign-in?to=" + Uri.EscapeDataString(to));
        return await SubmitAsync(page, ("name", name), ("password", password));
    }

    public void Dispose() => _client.Dispose();

    private async Task<Page> SendAsync(HttpRequestMessage request)
    {
        if (Cookie is not null)
            request.Headers.Add("Cookie", $"__Host-candela-session={Cookie}");
        using (request)
        using (var response = await _client.SendAsync(request, Token))
        {
            var set = response.Headers.TryGetValues("Set-Cookie", out var values) ? values.ToArray() : [];
            foreach (var value in set)
            {
                Assert.Matches("^__Host-candela-session=[A-Za-z0-9_-]{43}; path=/; secure; samesite=lax; httponly$", value);
                Cookie = value.Split(';')[0].Split('=')[1];
            }

            return new Page(response, await response.Content.ReadAsStringAsync(Token));
        }
    }

    /// <summary>An answer.</summary>
    public sealed partial class Page(HttpResponseMessage response, string text)
    {
        public HttpStatusCode Status { get; } = response.StatusCode;

        public string Text { get; } = text;

        public System.Net.Http.Headers.HttpResponseHeaders Headers { get; } = response.Headers;

        /// <summary>Where it leads: by redirect, or by itself.</summary>
        public string? Next { get; } = response.Headers.Location?.OriginalString ?? (Refresh().Match(text) is { Success: true } match ? WebUtility.HtmlDecode(match.Groups[1].Value) : null);

        public string Action => WebUtility.HtmlDecode(FormAction().Match(Text).Groups[1].Value);

        public Dictionary<string, string> Hidden =>
            HiddenField().Matches(Text).ToDictionary(match => match.Groups[1].Value, match => WebUtility.HtmlDecode(match.Groups[2].Value));

        public string? Alert => AlertText().Match(Text) is { Success: true } match ? WebUtility.HtmlDecode(match.Groups[1].Value) : null;

        [GeneratedRegex("<meta http-equiv=\"refresh\" content=\"0;url=([^\"]*)\">")]
        private static partial Regex Refresh();

        [GeneratedRegex("<form method=\"post\" action=\"([^\"]*)\">")]
        private static partial Regex FormAction();

        [GeneratedRegex("<input type=\"hidden\" name=\"([^\"]*)\" value=\"([^\"]*)\">")]
        private static partial Regex HiddenField();

        [GeneratedRegex("<p role=\"alert\">([^<]*)</p>")]
        private static partial Regex AlertText();
    }
}
