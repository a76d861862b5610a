using System.Globalization;

namespace Candela.Acceptance.Harness;

/// <summary>The VMM of a running container.</summary>
/// <param name="Pid">Process.</param>
/// <param name="UserId">Its user id.</param>
/// <param name="Folder">Its folder below the run folder.</param>
internal sealed record Vmm(int Pid, uint UserId, string Folder)
{
    public static async Task<Vmm> OfAsync(Platform platform, string container)
    {
        var pid = int.Parse((await platform.DockerAsync("inspect", "-f", "{{.State.Pid}}", container)).Text, CultureInfo.InvariantCulture);
        var user = HostProcesses.UserId(pid) ?? throw new InvalidOperationException($"the VMM {pid} of {container} does not run");
        return new Vmm(pid, user, $"{platform.RunFolder}/vm/{user:x8}");
    }
}
