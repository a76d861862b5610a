using System.Text;
using Candela.Os.Kernel;

namespace Candela.Os.Initramfs;

/// <summary>The guest's first file system.</summary>
internal static class InitramfsWriter
{
    /// <summary>
    /// Writes it: the agent as /init, modules in /modules with their load order in /modules.list (one path a line),
    /// the device nodes that process 1 opens before devtmpfs is there, and mount points.
    /// </summary>
    public static void Write(Stream output, byte[] agent, CachedKernel kernel)
    {
        CpioWriter cpio = new(output);
        foreach (string folder in (ReadOnlySpan<string>)["dev", "proc", "sys", "run", "modules"])
            cpio.AddFolder(folder, 0b111_101_101);
        cpio.AddCharacterDevice("dev/console", 0b110_000_000, 5, 1);
        cpio.AddCharacterDevice("dev/null", 0b110_110_110, 1, 3);
        StringBuilder list = new();
        foreach (KernelFile module in kernel.Record.Modules)
        {
            cpio.AddFile($"modules/{module.Name}", 0b110_100_100, File.ReadAllBytes(Path.Combine(kernel.Folder, module.Name)));
            list.Append("/modules/").Append(module.Name).Append('\n');
        }

        cpio.AddFile("modules.list", 0b110_100_100, Encoding.UTF8.GetBytes(list.ToString()));
        cpio.AddFile("init", 0b111_101_101, agent);
        cpio.Finish();
    }
}
