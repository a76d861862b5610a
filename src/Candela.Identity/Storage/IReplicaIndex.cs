using Candela.Identity.Accounts;

namespace Candela.Identity.Storage;

/// <summary>
/// Something that is kept in step with the replica's entries. New values come before a snapshot is published and former ones go after it, so
/// that whoever looks something up for a snapshot finds at least all that is in it.
/// </summary>
internal interface IReplicaIndex
{
    /// <summary>All entries are new.</summary>
    void Reset(DirectorySnapshot directory);

    /// <summary>An entry is about to be as it is here.</summary>
    /// <param name="directory">The directory that is about to be published.</param>
    /// <param name="entry">The entry.</param>
    void Add(DirectorySnapshot directory, DirectoryEntry entry);

    /// <summary>An entry is no longer as it was.</summary>
    /// <param name="directory">The directory that has been published.</param>
    /// <param name="former">As it was.</param>
    /// <param name="now">As it is; null: gone.</param>
    void Remove(DirectorySnapshot directory, DirectoryEntry former, DirectoryEntry? now);
}
