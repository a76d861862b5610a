using System.Globalization;
using System.Text;
using Candela.Guest.Protocol;

namespace Candela.Guest.Files;

/// <summary>Users and groups by the container's /etc/passwd and /etc/group, by the rules of Docker and runc (moby/sys/user).</summary>
internal static class UserDatabase
{
    /// <summary>Largest /etc/passwd and /etc/group, bytes.</summary>
    private const int FileBytes = 4 * 1024 * 1024;

    private const int PasswdName = 0, PasswdUid = 2, PasswdGid = 3, PasswdHome = 5;
    private const int GroupName = 0, GroupGid = 2, GroupMembers = 3;

    /// <summary>Who a process runs as.</summary>
    /// <param name="root">The container's root.</param>
    /// <param name="userSpec"><c>user[:group]</c>, names or numbers; empty: user 0.</param>
    /// <param name="groups">Further groups, names or numbers (<c>--group-add</c>).</param>
    /// <returns>Ids, supplementary groups (the group itself first, as Docker has it) and the home folder, "/" when none is known.</returns>
    /// <exception cref="AgentFailure">UnknownUser: a name without entry, or a number outside of 0–2147483647.</exception>
    public static (uint Uid, uint Gid, uint[] Groups, string Home) Resolve(string root, string userSpec, IReadOnlyList<string> groups)
    {
        using var confined = new ConfinedRoot(root);
        var passwdFile = Lines(confined.ReadSmallFile("etc/passwd"u8, FileBytes));
        var groupFile = Lines(confined.ReadSmallFile("etc/group"u8, FileBytes));

        var parts = userSpec.Split(':', 3);
        var userPart = parts[0];
        var groupPart = parts.Length > 1 ? parts[1] : "";
        var user = FindUser(passwdFile, userPart);
        uint uid = 0, gid = 0;
        var home = "/";
        var name = "";
        if (user is not null)
        {
            name = user[PasswdName];
            uid = Id(user, PasswdUid);
            gid = Id(user, PasswdGid);
            home = Field(user, PasswdHome) is { Length: > 0 } stated ? stated : home;
        }
        else if (userPart.Length > 0)
        {
            uid = TryNumber(userPart, out var number)
                ? Range(number)
                : throw new AgentFailure(AgentError.UnknownUser, $"unable to find user {userPart}: no matching entries in passwd file");
        }

        var supplementary = new List<uint>();
        if (groupPart.Length > 0)
            gid = FindGroup(groupFile, groupPart);
        else if (name.Length > 0)
            AddMemberships(groupFile, name, supplementary);

        var added = new List<uint>();
        for (var i = 0; i < groups.Count; i++)
        {
            var id = FindGroup(groupFile, groups[i]);
            if (!added.Contains(id) && !supplementary.Contains(id))
                added.Add(id);
        }

        return (uid, gid, [gid, .. supplementary, .. added], home);
    }

    private static string[]? FindUser(List<string[]> passwd, string user)
    {
        var isNumber = TryNumber(user, out var number);
        foreach (var entry in passwd)
        {
            var matches = user.Length == 0 ? Id(entry, PasswdUid) == 0 : isNumber ? Id(entry, PasswdUid) == number : entry[PasswdName] == user;
            if (matches)
                return entry;
        }

        return null;
    }

    private static uint FindGroup(List<string[]> file, string group)
    {
        var isNumber = TryNumber(group, out var number);
        foreach (var entry in file)
        {
            if (isNumber ? Id(entry, GroupGid) == number : entry[GroupName] == group)
                return Id(entry, GroupGid);
        }

        return isNumber ? Range(number) : throw new AgentFailure(AgentError.UnknownUser, $"unable to find group {group}: no matching entries in group file");
    }

    private static void AddMemberships(List<string[]> file, string user, List<uint> result)
    {
        foreach (var entry in file)
        {
            if (Array.IndexOf(Field(entry, GroupMembers).Split(','), user) >= 0)
                result.Add(Id(entry, GroupGid));
        }
    }

    private static List<string[]> Lines(byte[]? file)
    {
        var entries = new List<string[]>();
        if (file is null)
            return entries;
        foreach (var line in Encoding.UTF8.GetString(file).Split('\n'))
        {
            var trimmed = line.Trim();
            if (trimmed.Length > 0)
                entries.Add(trimmed.Split(':'));
        }

        return entries;
    }

    private static string Field(string[] entry, int index) => index < entry.Length ? entry[index] : "";

    /// <summary>A field that is no number counts as 0, as Docker has it.</summary>
    private static uint Id(string[] entry, int index) => TryNumber(Field(entry, index), out var number) && number is >= 0 and <= uint.MaxValue ? (uint)number : 0;

    private static bool TryNumber(string text, out long number) =>
        long.TryParse(text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out number);

    private static uint Range(long number) =>
        number is >= 0 and <= int.MaxValue ? (uint)number : throw new AgentFailure(AgentError.UnknownUser, "uids and gids must be in range 0-2147483647");
}
