using Candela.Guest.Container;
using Candela.Guest.Native;

namespace Candela.Guest.Tests.Container;

public class TmpfsOptionsTests
{
    private const ulong Default = Linux.MS_NOSUID | Linux.MS_NODEV | Linux.MS_NOEXEC;

    [Theory]
    [InlineData("", Default, "")]
    [InlineData("rw,size=64m,mode=1777", Default, "size=64m,mode=1777")]
    [InlineData("exec,suid,dev", 0, "")]
    [InlineData("ro,noexec,rprivate", Default | Linux.MS_RDONLY, "")]
    public void Tells_flags_from_data(string options, ulong flags, string data) => Assert.Equal((flags, data), TmpfsOptions.Parse(options));
}
