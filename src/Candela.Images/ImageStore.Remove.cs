using Candela.Images.Naming;
using Candela.Images.Storage;

namespace Candela.Images;

public sealed partial class ImageStore
{
    /// <inheritdoc/>
    public async Task<IReadOnlyList<ImageRemoval>> RemoveAsync(string reference, bool force, Func<string, bool> isUsed, CancellationToken cancellationToken)
    {
        RemovalPlan plan = null!;
        await ChangeAsync(
            index =>
            {
                ImageMatch match = ImageLookup.Find(index, reference);
                plan = new RemovalPlan(index, match.ImageId, id => _uses.IsHeld(LeaseKey(id)) || isUsed(id));
                ImageUse use = _uses.IsHeld(LeaseKey(match.ImageId)) ? ImageUse.Running : isUsed(match.ImageId) ? ImageUse.Stopped : ImageUse.None;
                if (match.Name is null)
                    plan.RemoveImage(force, use);
                else
                    plan.RemoveName(match.Name, force, use);
                return plan.Index;
            },
            cancellationToken).ConfigureAwait(false);

        foreach (ImageRemoval removal in plan.Removals)
        {
            if (removal.Untagged is not null)
                Raise("untag", plan.ImageId, removal.Untagged);
            else
                Raise("delete", removal.Deleted!, removal.Deleted!);
        }

        if (plan.IsImageRemoved)
            await CollectGarbageAsync(CancellationToken.None).ConfigureAwait(false);
        return plan.Removals;
    }
}
