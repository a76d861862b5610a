using System.Globalization;
using System.Text;
using Candela.Build.Dockerfiles;
using Candela.Images.Files;
using Candela.Model;

namespace Candela.Build.Steps;

/// <summary>Users and groups of <c>--chown</c>, by number or as the image's own files name them.</summary>
internal static class OwnerLookup
{
    private const int FileBytesMaximum = 1 << 20;

    /// <summary>Finds them; a user alone is its group's name or number, too, as with Docker.</summary>
    /// <exception cref="CandelaException">InvalidArgument: there is no such user or group.</exception>
    public static FileOwner Find(string text, FileTree files, CancellationToken cancellationToken)
    {
        string[] parts = text.Split(':', 2);
        string user = parts[0], group = parts.Length > 1 && parts[1].Length > 0 ? parts[1] : parts[0];
        if (user.Length == 0)
            throw DockerfileException.Invalid($"invalid chown string: {DockerfileException.Shorten(text)}");
        return new FileOwner(
            Number(user) ?? Named("etc/passwd", user) ?? throw DockerfileException.Invalid($"unable to convert uid/gid chown string to host mapping: can't find uid for user {DockerfileException.Shorten(user)}: no such user: {DockerfileException.Shorten(user)}"),
            Number(group) ?? Named("etc/group", group) ?? throw DockerfileException.Invalid($"unable to convert uid/gid chown string to host mapping: can't find gid for group {DockerfileException.Shorten(group)}: no such group: {DockerfileException.Shorten(group)}"));

        // Both files have name:password:number:…
        uint? Named(string path, string name) => Encoding.UTF8.GetString(files.ReadFile(path, FileBytesMaximum, cancellationToken) ?? [])
            .Split('\n')
            .Select(static line => line.Split(':'))
            .Where(fields => fields.Length > 2 && fields[0] == name)
            .Select(static fields => Number(fields[2]))
            .FirstOrDefault();
    }

    private static uint? Number(string text) => uint.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out uint number) && number < uint.MaxValue ? number : null;
}
