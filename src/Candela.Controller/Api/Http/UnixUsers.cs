using System.Collections.Concurrent;
using System.Globalization;

namespace Candela.Controller.Api.Http;

/// <summary>Names of this machine's users (passwd(5)); the number where there is no name.</summary>
internal sealed class UnixUsers
{
    private const int CachedMaximum = 1024;

    private readonly ConcurrentDictionary<uint, string> _names = new();

    public string NameOf(uint userId)
    {
        if (_names.TryGetValue(userId, out var name))
            return name;
        name = Find(userId) ?? userId.ToString(CultureInfo.InvariantCulture);
        if (_names.Count < CachedMaximum)
            _names[userId] = name;
        return name;
    }

    private static string? Find(uint userId)
    {
        const string path = "/etc/passwd";
        if (!File.Exists(path))
            return null;
        foreach (var line in File.ReadLines(path))
        {
            var fields = line.Split(':');
            if (fields.Length >= 3 && uint.TryParse(fields[2], CultureInfo.InvariantCulture, out var id) && id == userId)
                return fields[0];
        }

        return null;
    }
}
