namespace Candela.Os;

/// <summary>A folder of finished entries, a folder each; names that start with '.' are half made.</summary>
internal static class CacheFolder
{
    /// <summary>The finished entries, the last used first.</summary>
    public static IEnumerable<DirectoryInfo> Finished(string folder) =>
        new DirectoryInfo(folder).GetDirectories().Where(entry => !entry.Name.StartsWith('.')).OrderByDescending(entry => entry.LastWriteTimeUtc);

    /// <summary>Deletes what is half made and all but the last used entries.</summary>
    public static void Trim(string folder, int keptCount)
    {
        foreach (DirectoryInfo halfMade in new DirectoryInfo(folder).GetDirectories(".*"))
            halfMade.Delete(recursive: true);
        foreach (DirectoryInfo old in Finished(folder).Skip(keptCount))
            old.Delete(recursive: true);
    }

    /// <summary>Deletes a folder if it is there.</summary>
    public static void Delete(string folder)
    {
        if (Directory.Exists(folder))
            Directory.Delete(folder, recursive: true);
    }
}
