using System.Text.Json;
using Candela.Model;

namespace Candela.Images.Storage;

/// <summary>The index on disk: replaced atomically and durably.</summary>
internal static class IndexFile
{
    /// <summary>Reads the index; an absent file is an empty store.</summary>
    /// <exception cref="CandelaException">Internal when the file is damaged or of a newer version.</exception>
    public static StoreIndex Read(StoreFolder folder)
    {
        if (!File.Exists(folder.Index))
            return StoreIndex.Empty;
        try
        {
            using FileStream file = File.OpenRead(folder.Index);
            StoreIndex? index = JsonSerializer.Deserialize(file, StoreJson.Default.StoreIndex);
            return index is { Version: StoreIndex.CurrentVersion }
                ? index
                : throw new CandelaException(ErrorCode.Internal, $"{folder.Index} has version {index?.Version}, this daemon reads {StoreIndex.CurrentVersion}");
        }
        catch (JsonException e)
        {
            throw new CandelaException(ErrorCode.Internal, $"{folder.Index} is damaged ({e.Message}): restore it, or delete it to start with no images", e);
        }
    }

    /// <summary>Writes the index.</summary>
    public static void Write(StoreFolder folder, StoreIndex index)
    {
        string temporary = folder.NewTemporaryPath();
        try
        {
            using (FileStream file = File.Create(temporary))
                JsonSerializer.Serialize(file, index, StoreJson.Default.StoreIndex);
            StoreFolder.Publish(temporary, folder.Index);
        }
        catch (IOException e) when (LinuxFile.IsDiskFull(e))
        {
            throw LinuxFile.DiskFull(folder.Root, e);
        }
        finally
        {
            File.Delete(temporary);
        }
    }
}
