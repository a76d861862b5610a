using Candela.Images.Naming;
using Candela.Model;

namespace Candela.Images.Storage;

/// <summary>How containers use an image.</summary>
internal enum ImageUse
{
    /// <summary>Not at all.</summary>
    None,

    /// <summary>By containers none of which runs.</summary>
    Stopped,

    /// <summary>By containers, one of which at least runs.</summary>
    Running,
}

/// <summary>Works out what a removal does, by the rules and in the words of Docker (daemon/images/image_delete.go).</summary>
internal sealed class RemovalPlan(StoreIndex index, string imageId, Func<string, bool> isUsed)
{
    private readonly List<ImageRemoval> _removals = [];

    /// <summary>The image concerned.</summary>
    public string ImageId => imageId;

    /// <summary>The index after the removal.</summary>
    public StoreIndex Index { get; private set; } = index;

    /// <summary>What is done, in order.</summary>
    public IReadOnlyList<ImageRemoval> Removals => _removals;

    /// <summary>Whether the image goes, not only names.</summary>
    public bool IsImageRemoved { get; private set; }

    /// <summary>Removes a name, and the image with its last one.</summary>
    public void RemoveName(ImageReference name, bool force, ImageUse use)
    {
        if (!force && use != ImageUse.None && AreNamesOfOneTag())
            throw new CandelaException(ErrorCode.Conflict, $"conflict: unable to remove repository reference \"{name.Familiar}\" (must force) - a container is using its referenced image {Digests.Short(imageId)}");
        ImageReference removed = name.Digest is { } digest ? name.ByDigest(digest) : name;
        Untag(removed.ToString());

        // Manifests of a repository mean nothing to the user once its last tag is gone.
        if (removed.Digest is null && !NamesOf(removed.Name).Any(static other => other.Digest is null))
        {
            foreach (ImageReference manifest in NamesOf(removed.Name).ToArray())
                Untag(manifest.ToString());
        }

        // What a container still needs stays without a name, even by force.
        if (!Index.NamesOf(imageId).Any() && use != ImageUse.Running && (force || use == ImageUse.None))
            Delete();
    }

    /// <summary>Removes the image with all its names.</summary>
    public void RemoveImage(bool force, ImageUse use)
    {
        if (use == ImageUse.Running)
            throw Refuse("cannot be forced", "image is being used by running container");
        if (use == ImageUse.Stopped && !force)
            throw Refuse("must be forced", "image is being used by stopped container");
        if (!force && !AreNamesOfOneTag())
            throw Refuse("must be forced", "image is referenced in multiple repositories");
        foreach (string name in Index.NamesOf(imageId).ToArray())
            Untag(name);
        Delete();
    }

    /// <summary>Whether there is at most one tag, and all names are of one repository.</summary>
    private bool AreNamesOfOneTag()
    {
        ImageReference[] names = [.. Index.NamesOf(imageId).Select(ImageReference.Parse)];
        return names.Length <= 1
            || (names.Select(static name => name.Name).Distinct().Count() == 1 && names.Count(static name => name.Digest is null) <= 1);
    }

    private IEnumerable<ImageReference> NamesOf(string repository) =>
        Index.NamesOf(imageId).Select(ImageReference.Parse).Where(name => name.Name == repository);

    private void Untag(string name)
    {
        Index = Index.WithoutName(name);
        _removals.Add(new ImageRemoval(ImageReference.Parse(name).Familiar, null));
    }

    private void Delete()
    {
        // What it was built on goes along as far as it is nobody else's.
        for (string id = imageId; Index.Images.TryGetValue(id, out StoredImage? image) && (id == imageId || IsLeftOver(id, image)); id = image.ParentId)
        {
            Index = Index.WithoutImage(id);
            _removals.Add(new ImageRemoval(null, id));
        }

        IsImageRemoved = true;
    }

    private bool IsLeftOver(string id, StoredImage image) =>
        image.IsIntermediate && !Index.NamesOf(id).Any() && !isUsed(id) && !Index.Images.Values.Any(other => other.ParentId == id);

    private CandelaException Refuse(string force, string reason) =>
        new(ErrorCode.Conflict, $"conflict: unable to delete {Digests.Short(imageId)} ({force}) - {reason}");
}
