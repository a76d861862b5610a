using System.Globalization;
using System.Security.Cryptography;
using Candela.Images.Layers;
using Candela.Images.Storage;
using Candela.Model;

namespace Candela.Images.Loading;

/// <summary>A member of an archive, as a file of its own.</summary>
/// <param name="Path">The file.</param>
/// <param name="Digest">Its digest.</param>
/// <param name="Length">Its length, bytes.</param>
internal sealed record ArchiveMember(string Path, string Digest, long Length);

/// <summary>The members of an archive by name.</summary>
internal sealed class ArchiveContent
{
    private const int LinkHopsMaximum = 8;

    private readonly Dictionary<string, ArchiveMember> _members = new(StringComparer.Ordinal);
    private readonly Dictionary<string, string> _links = new(StringComparer.Ordinal);

    /// <summary>Reads an uncompressed tar, writing its files into a folder under numbers.</summary>
    /// <exception cref="CandelaException">ImageInvalid.</exception>
    public static ArchiveContent Unpack(Stream tar, string folder, ImageLimits limits, CancellationToken cancellationToken)
    {
        ArchiveContent content = new();
        TarReader reader = new(tar, limits);
        for (int count = 0; reader.Next() is { } entry; count++)
        {
            if (count == limits.ArchiveEntries)
                throw Invalid($"it has more than {limits.ArchiveEntries} members");
            string name = Normalise(entry.Name);
            if (name.Length == 0)
                continue;
            if (entry.Kind == TarKind.Regular)
                content._members[name] = Write(reader, Path.Combine(folder, count.ToString(CultureInfo.InvariantCulture)), cancellationToken);
            else if (entry.Kind == TarKind.HardLink)
                content._links[name] = Normalise(entry.LinkName);
            else if (entry.Kind == TarKind.SymbolicLink) // docker save once wrote equal layers so
                content._links[name] = Normalise(entry.LinkName.StartsWith('/') ? entry.LinkName : $"{name}/../{entry.LinkName}");
        }

        return content;
    }

    /// <summary>Whether there is such a member.</summary>
    public bool Contains(string name) => Find(name) is not null;

    /// <summary>A member.</summary>
    /// <exception cref="CandelaException">ImageInvalid when it is not there.</exception>
    public ArchiveMember Get(string name) => Find(name) ?? throw Invalid($"it has no member {TarReader.Display(name)}");

    /// <summary>A blob of an OCI layout, verified.</summary>
    /// <exception cref="CandelaException">ImageInvalid when it is not there, or not what its name says.</exception>
    public ArchiveMember GetBlob(string digest)
    {
        ArchiveMember member = Get("blobs/sha256/" + Digests.Hex(digest));
        return member.Digest == digest ? member : throw Invalid($"the content of blob {digest} is {member.Digest}");
    }

    /// <summary>Content of a member that is to be held in memory.</summary>
    /// <exception cref="CandelaException">ImageInvalid when it is too large.</exception>
    public static byte[] ReadAll(ArchiveMember member, int maximum) =>
        member.Length <= maximum ? File.ReadAllBytes(member.Path) : throw Invalid($"a document has {member.Length} bytes; at most {maximum} are accepted");

    /// <summary>The archive cannot be loaded.</summary>
    public static CandelaException Invalid(string reason, Exception? inner = null) =>
        new(ErrorCode.ImageInvalid, $"invalid image archive: {reason}", inner);

    private ArchiveMember? Find(string name)
    {
        name = Normalise(name);
        for (int hops = 0; hops <= LinkHopsMaximum; hops++)
        {
            if (_members.TryGetValue(name, out ArchiveMember? member))
                return member;
            if (!_links.TryGetValue(name, out string? target))
                return null;
            name = target;
        }

        return null;
    }

    private static ArchiveMember Write(TarReader reader, string path, CancellationToken cancellationToken)
    {
        using IncrementalHash hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        using FileStream file = new(path, FileMode.CreateNew, FileAccess.Write, FileShare.None, 1);
        byte[] buffer = new byte[128 << 10];
        for (int read; (read = reader.Read(buffer)) > 0;)
        {
            cancellationToken.ThrowIfCancellationRequested();
            hash.AppendData(buffer, 0, read);
            file.Write(buffer, 0, read);
        }

        return new ArchiveMember(path, Digests.Format(hash.GetCurrentHash()), file.Length);
    }

    private static string Normalise(string name)
    {
        List<string> parts = [];
        foreach (string part in name.Split('/', StringSplitOptions.RemoveEmptyEntries))
        {
            if (part == ".")
                continue;
            if (part != "..")
                parts.Add(part);
            else if (parts.Count > 0)
                parts.RemoveAt(parts.Count - 1);
            else
                throw Invalid($"member {TarReader.Display(name)} leads out of it");
        }

        return string.Join('/', parts);
    }
}
