using System.Collections.Concurrent;
using Candela.Identity.Administration;
using Candela.Identity.Certificates;
using Candela.Identity.Certificates.Names;
using Candela.Identity.Certificates.Profiles;
using Candela.Identity.Secrets;
using Candela.State.Sqlite;
using Candela.Tests.Shared;
using Microsoft.Extensions.Logging.Abstractions;

namespace Candela.Identity.Tests.Certificates;

/// <summary>A certificate authority on a state store of its own, and a folder for openssl to work in.</summary>
public abstract class CertificateBench(TimeProvider? time = null) : IAsyncLifetime
{
    private SecretBox _secrets = null!;

    protected TemporaryFolder Folder { get; } = new();

    /// <summary>The clock; that of the computer where a test talks to real programs.</summary>
    protected TimeProvider Time { get; } = time ?? TimeProvider.System;

    internal SqliteStateStore Store { get; private set; } = null!;

    protected CertificateAuthority Authority { get; private set; } = null!;

    /// <summary>What was kept for the audit.</summary>
    protected RecordedAudit Audit { get; } = new();

    internal ISecretBox Secrets => _secrets;

    protected virtual CertificateAuthorityOptions Options { get; } = new() { TrustDomain = "example.org", PublicUrl = new Uri("http://pki.example.org/pki") };

    protected static CancellationToken Token => TestContext.Current.CancellationToken;

    public virtual async ValueTask InitializeAsync()
    {
        Store = SqliteStateStore.Open(Folder.File("state.db"), Time);
        _secrets = SecretBox.Open(Folder.File("secrets.key"));
        Authority = await OpenAuthorityAsync();
    }

    public virtual async ValueTask DisposeAsync()
    {
        await Authority.DisposeAsync();
        _secrets.Dispose();
        await Store.DisposeAsync();
        Folder.Dispose();
    }

    protected Task<CertificateAuthority> OpenAuthorityAsync() => CertificateAuthority.OpenAsync(Store, _secrets, Options, Time, NullLogger<CertificateAuthority>.Instance, Token);

    protected async Task ReopenAsync()
    {
        await Authority.DisposeAsync();
        Authority = await OpenAuthorityAsync();
    }

    protected static CertificateOrder ServerOrder(params string[] names) =>
        new() { Profile = CertificateProfile.Server, Owner = "user:ada", Names = new CertificateNames { Dns = names } };

    /// <summary>Writes root, issuing authority and certificate as PEM files: root.pem, chain.pem, leaf.pem.</summary>
    protected async Task WriteAsync(IssuedCertificate certificate)
    {
        await WriteRootAsync();
        await File.WriteAllTextAsync(Folder.File("chain.pem"), string.Concat(certificate.Chain.Select(c => IssuedCertificate.PemEncodingOf(c) + "\n")), Token);
        await File.WriteAllTextAsync(Folder.File("leaf.pem"), IssuedCertificate.PemEncodingOf(certificate.Der) + "\n", Token);
    }

    protected sealed class RecordedAudit : IAuditSink
    {
        private readonly ConcurrentQueue<AuditRecord> _records = [];

        public IReadOnlyList<AuditRecord> Records => [.. _records];

        public void Record(AuditRecord record) => _records.Enqueue(record);
    }

    protected Task WriteRootAsync() =>
        File.WriteAllTextAsync(Folder.File("root.pem"), string.Concat(Authority.Roots.Select(r => IssuedCertificate.PemEncodingOf(r) + "\n")), Token);
}
