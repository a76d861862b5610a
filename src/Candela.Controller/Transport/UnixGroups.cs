using System.Globalization;

namespace Candela.Controller.Transport;

/// <summary>Groups of this machine (group(5)).</summary>
internal static class UnixGroups
{
    /// <summary>Id of a group, or null when there is none of that name.</summary>
    public static uint? Find(string name)
    {
        const string path = "/etc/group";
        if (name.Length == 0 || !File.Exists(path))
            return null;
        foreach (var line in File.ReadLines(path))
        {
            var fields = line.Split(':');
            if (fields.Length >= 3 && fields[0] == name && uint.TryParse(fields[2], CultureInfo.InvariantCulture, out var id))
                return id;
        }

        return null;
    }
}
