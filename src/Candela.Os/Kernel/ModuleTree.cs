using Candela.Model;

namespace Candela.Os.Kernel;

/// <summary>The modules of an unpacked kernel package: which are needed, and in which order they load.</summary>
internal sealed class ModuleTree
{
    private readonly Dictionary<string, string> _files = new(StringComparer.Ordinal);
    private readonly HashSet<string> _builtIn = new(StringComparer.Ordinal);
    private readonly string _folder;

    /// <summary>Looks through a folder lib/modules/RELEASE. The package has no modules.dep: depmod makes it at installation.</summary>
    public ModuleTree(string folder)
    {
        _folder = folder;
        foreach (string file in Directory.EnumerateFiles(folder, "*.ko*", SearchOption.AllDirectories))
        {
            string name = Path.GetFileName(file);
            _files[ModuleInfo.NormalizeName(name[..name.IndexOf(".ko", StringComparison.Ordinal)])] = file;
        }

        string builtIn = Path.Combine(folder, "modules.builtin");
        if (!File.Exists(builtIn))
            return;
        foreach (string line in File.ReadLines(builtIn))
            _builtIn.Add(ModuleInfo.NormalizeName(Path.GetFileNameWithoutExtension(line)));
    }

    /// <summary>Files of the wanted modules and of all that they depend on, each after its dependencies; what is built in is left out.</summary>
    /// <exception cref="CandelaException">NotSupported: a module is missing, compressed, or depends on itself.</exception>
    public IReadOnlyList<string> Order(IEnumerable<string> wanted)
    {
        List<string> order = [];
        HashSet<string> done = new(StringComparer.Ordinal);
        HashSet<string> open = new(StringComparer.Ordinal);
        foreach (string name in wanted)
            Add(ModuleInfo.NormalizeName(name), "the guest", order, done, open);
        return order;
    }

    private void Add(string name, string neededBy, List<string> order, HashSet<string> done, HashSet<string> open)
    {
        if (done.Contains(name) || _builtIn.Contains(name))
            return;
        if (!_files.TryGetValue(name, out string? file))
            throw new CandelaException(ErrorCode.NotSupported, $"the kernel in {_folder} has no module {name}, which {neededBy} needs: set up an apt source with a Debian cloud kernel (linux-image-cloud-amd64)");
        if (!file.EndsWith(".ko", StringComparison.Ordinal))
            throw new CandelaException(ErrorCode.NotSupported, $"kernel module {Path.GetFileName(file)} is compressed, which Candela cannot load: set up an apt source with the Debian 12 kernel (linux-image-cloud-amd64)");
        if (!open.Add(name))
            throw new CandelaException(ErrorCode.NotSupported, $"kernel module {name} depends on itself: the package is damaged, delete the guest cache and start again");
        foreach (string dependency in ModuleInfo.Parse(Path.GetFileName(file), File.ReadAllBytes(file)).Dependencies)
            Add(dependency, name, order, done, open);
        open.Remove(name);
        done.Add(name);
        order.Add(file);
    }
}
