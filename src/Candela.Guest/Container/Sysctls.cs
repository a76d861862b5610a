using Candela.Guest.Native;

namespace Candela.Guest.Container;

/// <summary>Kernel parameters; the micro-VM's kernel is the container's own.</summary>
internal static class Sysctls
{
    /// <exception cref="AgentFailure">There is no such parameter, or the value was refused.</exception>
    public static void Apply(IReadOnlyList<KeyValuePair<string, string>> values)
    {
        for (var i = 0; i < values.Count; i++)
        {
            // No ".." can remain: dots separate.
            var path = RootedPath.Checked(values[i].Key, "a sysctl").Replace('.', '/');
            SmallFile.Write("/proc/sys/" + path, values[i].Value);
        }
    }
}
