namespace Candela.Tests.Shared;

/// <summary>Programs that ./test has built (CANDELA_BIN).</summary>
internal static class Programs
{
    public static string Jailer => Find("candela-jailer");

    public static string Guest => Find("candela-guest");

    public static string Vmm => Find("candela-vmm");

    /// <summary>Keeps kernels of host images between test runs.</summary>
    public static string HostCache => Path.Combine(Path.GetDirectoryName(Path.GetFullPath(Folder))!, "host-cache");

    /// <summary>Keeps kernels and guests between test runs.</summary>
    public static string GuestCache => Path.Combine(Path.GetDirectoryName(Path.GetFullPath(Folder))!, "guest-cache");

    private static string Folder => Environment.GetEnvironmentVariable("CANDELA_BIN") ?? Path.Combine(Root(), "artifacts/bin");

    private static string Find(string name)
    {
        string path = Path.Combine(Folder, name);
        Assert.True(File.Exists(path), $"{path} is missing: build it with eng/build, or run ./test");
        return path;
    }

    private static string Root()
    {
        for (DirectoryInfo? folder = new(AppContext.BaseDirectory); folder is not null; folder = folder.Parent)
        {
            if (File.Exists(Path.Combine(folder.FullName, "Candela.slnx")))
                return folder.FullName;
        }

        return "";
    }
}
