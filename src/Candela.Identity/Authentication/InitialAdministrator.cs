using System.Security.Cryptography;
using System.Text;
using Candela.Identity.Accounts;
using Candela.Identity.Authorization;
using Candela.Identity.Storage;
using Candela.Model;
using Candela.State;
using Microsoft.Extensions.Logging;

namespace Candela.Identity.Authentication;

/// <summary>
/// The account that all others come from. Made once, at the first start, with a random password in a file that only the daemon's user can
/// read; the password is only good for choosing another one, and the file goes when that has been done.
/// </summary>
internal sealed partial class InitialAdministrator(
    IStateStore store, StoredDirectory directory, IdentityOptions options, TimeProvider time, ILogger<InitialAdministrator> logger)
{
    /// <summary>Name of the account in the system domain.</summary>
    public const string Name = "admin";

    private const int PasswordBytes = 15;
    private const UnixFileMode OwnerOnly = UnixFileMode.UserRead | UnixFileMode.UserWrite;

    private string PasswordPath => Path.Combine(options.Folder, "initial-admin-password");

    /// <summary>Makes the account, unless that has been done once, by whichever controller.</summary>
    public async Task EnsureAsync(CancellationToken cancellationToken)
    {
        if (await store.GetAsync(IdentityKeys.InitialAdministrator, cancellationToken) is not null)
            return;
        // The file first: whenever the process dies, an account that exists has a password that somebody can read.
        var password = string.Join('-', Base32.Encode(RandomNumberGenerator.GetBytes(PasswordBytes)).Chunk(4).Select(group => new string(group)));
        WriteFile(password);
        var credential = new CredentialDocument { PasswordHash = PasswordHash.Make(password, options.PasswordCost), PasswordChangedAt = time.GetUtcNow(), MustChange = true };
        try
        {
            await directory.CreateAsync(
                new User { DomainId = directory.Current.SystemDomain.Id, Name = Name, DisplayName = "Initial administrator" },
                (admin, transaction) => Complete(transaction, admin, credential),
                cancellationToken);
        }
        catch (CandelaException e) when (e.Code == ErrorCode.AlreadyExists)
        {
            File.Delete(PasswordPath); // another controller was first, and has the file
            return;
        }

        Log.Made(logger, Name, Domain.SystemName, PasswordPath);
    }

    /// <summary>An account has a new password: if it is this one, the file has done its work.</summary>
    public async Task OnPasswordChangedAsync(Guid accountId, CancellationToken cancellationToken)
    {
        if (File.Exists(PasswordPath) && await store.GetAsync(IdentityKeys.InitialAdministrator, cancellationToken) is { } marker && Guid.Parse(marker.Value.Span) == accountId)
            File.Delete(PasswordPath);
    }

    private void Complete(StateTransaction transaction, User admin, CredentialDocument credential)
    {
        var binding = new RoleBinding { Subject = Subject.Entry(admin.Id), RoleId = BuiltInRoles.SystemAdmin.Id, Scope = ResourceScope.System, CreatedAt = time.GetUtcNow() };
        transaction
            .Expect(IdentityKeys.InitialAdministrator, 0)
            .Put(IdentityKeys.InitialAdministrator, Encoding.ASCII.GetBytes($"{admin.Id}"))
            .Put(IdentityKeys.Credential(admin.Id), CredentialStore.Encode(credential))
            .Put(IdentityKeys.Links(admin.Id), DirectoryWriter.Mark);
        StoredAccessPolicy.AddTo(transaction, binding with { Id = StoredAccessPolicy.IdOf(binding) });
    }

    private void WriteFile(string password)
    {
        Directory.CreateDirectory(options.Folder, OwnerOnly | UnixFileMode.UserExecute);
        string draft = $"{PasswordPath}.{Path.GetRandomFileName()}";
        using (var file = new FileStream(draft, new FileStreamOptions { Mode = FileMode.CreateNew, Access = FileAccess.Write, UnixCreateMode = OwnerOnly }))
        {
            file.Write(Encoding.ASCII.GetBytes(password + "\n"));
            file.Flush(flushToDisk: true);
        }

        File.Move(draft, PasswordPath, overwrite: true);
    }

    private static partial class Log
    {
        [LoggerMessage(Level = LogLevel.Warning, Message = "made the account {Name}@{Domain}; its one-time password is in {Path}: sign in and choose another one")]
        public static partial void Made(ILogger logger, string name, string domain, string path);
    }
}
