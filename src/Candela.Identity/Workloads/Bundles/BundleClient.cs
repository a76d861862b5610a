using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Formats.Asn1;
using Candela.Identity.Certificates.Names;
using Candela.Model;

namespace Candela.Identity.Workloads.Bundles;

/// <summary>Fetches bundles of other trust domains (SPIFFE Trust Domain and Bundle, section 5), by either way of authentication.</summary>
internal static class BundleClient
{
    private static readonly TimeSpan Deadline = TimeSpan.FromSeconds(15);

    /// <param name="trustDomain">Whose bundle it is.</param>
    /// <param name="url">Where; https.</param>
    /// <param name="endpoint">With SPIFFE authentication: the endpoint's identity, and the bundle that verifies it; null: as web servers are verified.</param>
    /// <param name="time">Clock.</param>
    /// <param name="cancellationToken">Ends the call.</param>
    /// <returns>The bundle and its text.</returns>
    /// <exception cref="CandelaException">Unavailable, or InvalidArgument: what came is no bundle.</exception>
    public static async Task<(TrustBundle Bundle, string Json)> FetchAsync(
        string trustDomain, Uri url, (SpiffeId Id, TrustBundle Bundle)? endpoint, TimeProvider time, CancellationToken cancellationToken)
    {
        using var handler = new SocketsHttpHandler { AllowAutoRedirect = false, UseCookies = false, UseProxy = false };
        if (endpoint is var (id, bundle))
            handler.SslOptions.RemoteCertificateValidationCallback = (_, certificate, chain, _) => IsEndpoint(certificate as X509Certificate2, chain, id, bundle, time.GetUtcNow());
        using var client = new HttpClient(handler) { Timeout = Deadline, MaxResponseContentBufferSize = TrustBundle.JsonBytes };
        try
        {
            using var response = await client.GetAsync(url, cancellationToken);
            if (!response.IsSuccessStatusCode)
                throw new CandelaException(ErrorCode.Unavailable, $"{url} answered with status {(int)response.StatusCode}");
            var json = await response.Content.ReadAsByteArrayAsync(cancellationToken);
            return (TrustBundle.Parse(trustDomain, json), System.Text.Encoding.UTF8.GetString(json));
        }
        catch (Exception e) when (e is HttpRequestException or TaskCanceledException && !cancellationToken.IsCancellationRequested)
        {
            throw new CandelaException(ErrorCode.Unavailable, $"the trust bundle of {trustDomain} could not be fetched from {url}: {e.InnerException?.Message ?? e.Message}", e);
        }
    }

    /// <summary>The certificate is the X.509-SVID of this endpoint (X509-SVID, section 5).</summary>
    private static bool IsEndpoint(X509Certificate2? certificate, X509Chain? sent, SpiffeId id, TrustBundle bundle, DateTimeOffset now)
    {
        if (certificate is null || certificate.Extensions.OfType<X509BasicConstraintsExtension>().Any(c => c.CertificateAuthority))
            return false;
        try
        {
            var names = certificate.Extensions.SingleOrDefault(e => e.Oid?.Value == SubjectAlternativeName.Oid);
            if (names is null || SubjectAlternativeName.Read(names.RawData).Uris is not [var uri] || uri != id.ToString())
                return false;
        }
        catch (AsnContentException)
        {
            return false;
        }

        using var chain = new X509Chain();
        chain.ChainPolicy.TrustMode = X509ChainTrustMode.CustomRootTrust;
        chain.ChainPolicy.RevocationMode = X509RevocationMode.NoCheck;
        chain.ChainPolicy.DisableCertificateDownloads = true;
        chain.ChainPolicy.VerificationTimeIgnored = false;
        chain.ChainPolicy.VerificationTime = now.UtcDateTime;
        foreach (var authority in bundle.X509Authorities)
            chain.ChainPolicy.CustomTrustStore.Add(X509CertificateLoader.LoadCertificate(authority.Span));
        if (sent is not null)
            chain.ChainPolicy.ExtraStore.AddRange(sent.ChainPolicy.ExtraStore);
        try
        {
            return chain.Build(certificate);
        }
        catch (CryptographicException)
        {
            return false;
        }
        finally
        {
            foreach (var authority in chain.ChainPolicy.CustomTrustStore)
                authority.Dispose();
        }
    }
}
