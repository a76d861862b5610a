using Candela.Identity.Accounts;
using Candela.Identity.Authentication;
using Candela.Model;

namespace Candela.Identity.Ldif;

/// <summary>Export and import of domains.</summary>
internal sealed class DomainLdif(StoredDirectory directory, CredentialStore credentials, TimeProvider time) : ILdif
{
    public async Task ExportAsync(Guid domainId, TextWriter writer, bool withPasswords, CancellationToken cancellationToken)
    {
        var current = directory.Current;
        var domain = GetDomain(current, domainId);
        var ldif = new LdifWriter(writer);
        await ldif.WriteAsync(new LdifRecord(0, DirectoryNames.Of(domain), [("objectClass", "top"), ("objectClass", "domain"), ("dc", domain.Name)]));
        foreach (var kind in Enum.GetValues<EntryKind>())
        {
            await ldif.WriteAsync(new LdifRecord(
                0, DirectoryNames.Of(domain, kind), [("objectClass", "top"), ("objectClass", "organizationalUnit"), ("ou", DirectoryNames.Unit(kind))]));
        }

        // Accounts before the groups that they are in.
        foreach (var kind in new[] { EntryKind.User, EntryKind.ServiceAccount, EntryKind.Machine, EntryKind.Group })
        {
            foreach (var entry in current.List(domainId, kind, after: null, limit: int.MaxValue))
            {
                cancellationToken.ThrowIfCancellationRequested();
                var hash = withPasswords && entry is not Group ? (await credentials.ReadAsync(entry.Id, cancellationToken)).Document.PasswordHash : null;
                await ldif.WriteAsync(EntryRecords.Make(current, domain, entry, hash));
            }
        }

        await writer.FlushAsync(cancellationToken);
    }

    public async Task<LdifImport> ImportAsync(Guid domainId, TextReader reader, LdifPermits permits, CancellationToken cancellationToken)
    {
        GetDomain(directory.Current, domainId);
        try
        {
            return await new LdifImporter(directory, time, domainId, permits).RunAsync(new LdifReader(reader), cancellationToken);
        }
        catch (LdifFormatException e)
        {
            throw new CandelaException(ErrorCode.InvalidArgument, $"The file cannot be read further, {e.Message}. What came before has been imported; correct it and import it again.", e);
        }
    }

    private static Domain GetDomain(DirectorySnapshot current, Guid id) =>
        current.GetDomain(id) ?? throw new CandelaException(ErrorCode.NotFound, $"No such domain: {id}");
}
