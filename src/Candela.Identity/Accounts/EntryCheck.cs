using Candela.Model;

namespace Candela.Identity.Accounts;

/// <summary>Checks of what callers give, at the boundary. Failures are InvalidArgument.</summary>
internal static class EntryCheck
{
    public static void Check(Domain domain)
    {
        EntryName.CheckDomain(domain.Name);
        if (domain.Tenant is { } tenant && (tenant.Length is 0 or > AccountLimits.TextLength || tenant.Contains('/', StringComparison.Ordinal)))
            throw Invalid($"a tenant's name has 1 to {AccountLimits.TextLength} characters and no /");
        CheckText("description", domain.Description);
        domain.PasswordPolicy.Check();
    }

    public static void Check(DirectoryEntry entry)
    {
        EntryName.Check(entry.Kind, entry.Name);
        CheckText("description", entry.Description);
        CheckAttributes(entry.Attributes);
        switch (entry)
        {
            case User user:
                CheckText("display name", user.DisplayName);
                CheckText("given name", user.GivenName);
                CheckText("surname", user.Surname);
                CheckText("telephone number", user.Telephone);
                CheckText("mail address", user.Mail);
                if (user.Mail is { } mail && (mail.Length < 3 || mail.IndexOf('@', StringComparison.Ordinal) is not (> 0 and var at) || at == mail.Length - 1 || mail.Contains(' ', StringComparison.Ordinal)))
                    throw Invalid($"'{mail}' is no mail address: it must be like ada@example.org");
                if (user.Posix is { } posix)
                    Check(posix);
                break;
            case ServiceAccount account:
                CheckText("display name", account.DisplayName);
                break;
            case Group group:
                CheckNumber("group number", group.GidNumber);
                break;
        }
    }

    private static void Check(PosixAccount posix)
    {
        CheckNumber("user number", posix.UidNumber);
        CheckNumber("group number", posix.GidNumber);
        CheckPath("home folder", posix.HomeDirectory, mayBeEmpty: true);
        CheckPath("login shell", posix.LoginShell, mayBeEmpty: false);
    }

    private static void CheckNumber(string what, uint number)
    {
        if (number is not 0 and (< AccountLimits.PosixNumberMinimum or > AccountLimits.PosixNumberMaximum))
            throw Invalid($"a {what} is from {AccountLimits.PosixNumberMinimum} to {AccountLimits.PosixNumberMaximum}, not {number}; leave it out to have one allotted");
    }

    private static void CheckPath(string what, string path, bool mayBeEmpty)
    {
        CheckText(what, path);
        if (path.Length == 0 ? !mayBeEmpty : path[0] != '/' || path.Contains(':', StringComparison.Ordinal))
            throw Invalid($"the {what} must be an absolute path without colons, not '{path}'");
    }

    private static void CheckText(string what, string? text)
    {
        if (text is null)
            return;
        if (text.Length > AccountLimits.TextLength)
            throw Invalid($"the {what} has more than {AccountLimits.TextLength} characters");
        if (text.AsSpan().ContainsAnyInRange('\0', '\x1f'))
            throw Invalid($"the {what} has control characters");
    }

    private static void CheckAttributes(IReadOnlyDictionary<string, IReadOnlyList<string>> attributes)
    {
        if (attributes.Count > AccountLimits.AttributeCount)
            throw Invalid($"an entry has at most {AccountLimits.AttributeCount} further attributes");
        int length = 0;
        foreach (var (name, values) in attributes)
        {
            // RFC 4512, 1.4: descr, with options (;lang-en).
            if (name.Length is 0 or > AccountLimits.NameLength || !char.IsAsciiLetterLower(name[0]) || name.Any(c => !char.IsAsciiLetterLower(c) && !char.IsAsciiDigit(c) && c is not ('-' or ';')))
                throw Invalid($"'{name}' is no attribute name: letters in lower case, digits, - and ;");
            if (values is not { Count: > 0 and <= AccountLimits.AttributeValueCount } || values.Any(value => value is null))
                throw Invalid($"attribute {name} must have 1 to {AccountLimits.AttributeValueCount} values");
            foreach (var value in values)
            {
                if (value.Length > AccountLimits.AttributeValueLength)
                    throw Invalid($"a value of attribute {name} has more than {AccountLimits.AttributeValueLength} characters");
                length += value.Length;
            }
        }

        if (length > AccountLimits.AttributesLength)
            throw Invalid($"an entry's further attributes have at most {AccountLimits.AttributesLength} characters in all");
    }

    private static CandelaException Invalid(string message) => new(ErrorCode.InvalidArgument, message);
}
