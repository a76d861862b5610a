using Candela.Model;
using Candela.Os.Kernel;
using Candela.Tests.Shared;

namespace Candela.Os.Tests.Kernel;

public sealed class ModuleTreeTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void Puts_each_module_after_what_it_depends_on_and_names_it_once()
    {
        Module("drivers/virtio-blk.ko", "virtio_blk", "virtio_ring", "virtio");
        Module("drivers/virtio_ring.ko", "virtio_ring");
        Module("drivers/virtio.ko", "virtio", "virtio-ring");
        Module("drivers/virtio_console.ko", "virtio_console", "virtio_ring", "virtio");
        Module("drivers/unused.ko", "unused");

        Assert.Equal(["virtio_ring.ko", "virtio.ko", "virtio-blk.ko", "virtio_console.ko"], Order("virtio_blk", "virtio-console", "virtio"));
    }

    [Fact]
    public void Leaves_out_what_is_built_in()
    {
        Module("fs/overlay.ko", "overlay", "ext4");
        File.WriteAllText(_folder.File("modules.builtin"), "kernel/fs/ext4/ext4.ko\n");

        Assert.Equal(["overlay.ko"], Order("ext4", "overlay"));
    }

    [Fact]
    public void Refuses_a_module_that_is_nowhere()
    {
        Module("fs/overlay.ko", "overlay", "missing");

        CandelaException e = Assert.Throws<CandelaException>(() => Order("overlay"));
        Assert.Equal(ErrorCode.NotSupported, e.Code);
        Assert.Contains("no module missing, which overlay needs", e.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Refuses_a_compressed_module()
    {
        File.WriteAllBytes(_folder.File("erofs.ko.xz"), [0xFD]);

        Assert.Contains("erofs.ko.xz is compressed", Assert.Throws<CandelaException>(() => Order("erofs")).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Refuses_modules_that_depend_on_each_other()
    {
        Module("a.ko", "a", "b");
        Module("b.ko", "b", "a");

        Assert.Contains("depends on itself", Assert.Throws<CandelaException>(() => Order("a")).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Refuses_every_truncation_of_a_module_without_reading_outside_of_it()
    {
        byte[] whole = ModuleFile.Of("a", "b");
        Assert.Equal(["b"], ModuleInfo.Parse("a.ko", whole).Dependencies);

        for (int length = 0; length < whole.Length; length++)
            Assert.Throws<CandelaException>(() => ModuleInfo.Parse("a.ko", whole.AsSpan(0, length)));
    }

    [Fact]
    public void Flipped_bytes_are_refused_or_read_but_never_crash()
    {
        byte[] whole = ModuleFile.Of("a", "b");
        for (int i = 0; i < whole.Length; i++)
        {
            byte[] damaged = [.. whole];
            damaged[i] ^= 0xFF;
            try
            {
                ModuleInfo.Parse("a.ko", damaged);
            }
            catch (CandelaException)
            {
            }
        }
    }

    private void Module(string path, string name, params string[] dependencies)
    {
        string file = _folder.File(path);
        Directory.CreateDirectory(Path.GetDirectoryName(file)!);
        File.WriteAllBytes(file, ModuleFile.Of(name, dependencies));
    }

    private string[] Order(params string[] wanted) => [.. new ModuleTree(_folder.Path).Order(wanted).Select(file => Path.GetFileName(file))];
}
