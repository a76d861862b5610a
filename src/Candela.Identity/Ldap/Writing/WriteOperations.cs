using Candela.Identity.Accounts;
using Candela.Identity.Administration;
using Candela.Identity.Authentication;
using Candela.Identity.Ldap.Access;
using Candela.Identity.Ldap.Operations;
using Candela.Identity.Ldap.Protocol;
using Candela.Identity.Ldap.Schema;
using Candela.Identity.Ldap.Server;
using Candela.Identity.Ldap.Tree;
using Candela.Model;

namespace Candela.Identity.Ldap.Writing;

/// <summary>
/// Adds, changes, renames and removes accounts and groups (RFC 4511, 4.6 to 4.9), each wholly or not at all. Rights are asked and all is kept in
/// the audit log by <see cref="DirectoryAdministration"/>, before anything is told of what there is.
/// </summary>
internal sealed class WriteOperations(IDirectory directory, DirectoryAdministration administration, PasswordService passwords, NodeFinder finder)
{
    /// <summary>How often a change is tried again that met another one.</summary>
    private const int AttemptCount = 4;

    /// <summary>Adds an entry.</summary>
    /// <exception cref="LdapException">It cannot be done.</exception>
    public async ValueTask<LdapAnswer> AddAsync(LdapSession session, AddRequest request, CancellationToken cancellationToken)
    {
        var current = directory.Current;
        var actor = session.RequireActor(current);
        var name = NodeFinder.Parse(request.Name);
        var (parent, _, _) = await finder.FindAsync(session, current, name.Parent, cancellationToken);
        if (parent.Kind != NodeKind.Unit)
            throw new LdapException(ResultCode.UnwillingToPerform, "accounts and groups are added below a domain's units only (ou=people, ou=groups, ou=services, ou=machines)");
        var kind = parent.Unit;
        var entryName = DirectoryTree.ValueOf(name.RelativeNames[0], DirectoryTree.NamingAttribute(kind)) ??
            throw new LdapException(ResultCode.NamingViolation, $"an entry here is named by {DirectoryTree.NamingAttribute(kind).Name} alone");
        string? password = null;
        try
        {
            if (kind == EntryKind.Group)
            {
                await administration.CreateGroupAsync(actor, parent.Domain.Name, entryName, Told<Guid, (Group, IReadOnlyCollection<Guid>)>(_ =>
                {
                    var draft = Draft();
                    return ((Group)draft.ToEntry(null), draft.AddedIds);
                }), cancellationToken);
            }
            else
            {
                password = PasswordOf(session, request);
                await administration.CreateAsync(
                    actor, parent.Domain.Name, Told<Guid, DirectoryEntry>(domainId => domainId == Guid.Empty ? NamedOnly(kind, entryName) : Draft().ToEntry(null)),
                    password, mustChange: kind == EntryKind.User, cancellationToken);
            }
        }
        catch (CandelaException e) when (e.Code == ErrorCode.AlreadyExists && directory.Current.Find(parent.Domain.Id, entryName) is null)
        {
            throw new LdapException(ResultCode.ConstraintViolation, e.Message); // a number is taken, not the name
        }

        return LdapAnswer.Success;

        EntryDraft Draft()
        {
            var draft = EntryDraft.New(directory.Current, parent.Domain.Id, kind, entryName);
            foreach (var attribute in request.Attributes.Where(attribute => !IsPassword(attribute)))
                draft.Apply(new Modification(ModificationKind.Add, attribute));
            return draft;
        }
    }

    /// <summary>Changes an entry.</summary>
    /// <exception cref="LdapException">It cannot be done.</exception>
    public async ValueTask<LdapAnswer> ModifyAsync(LdapSession session, ModifyRequest request, CancellationToken cancellationToken)
    {
        var current = directory.Current;
        var actor = session.RequireActor(current);
        var (node, _, _) = await finder.FindAsync(session, current, NodeFinder.Parse(request.Name), cancellationToken);
        RequireEntry(node);
        if (PasswordChange.Read(request.Modifications) is { } change)
        {
            if (change.Old is { } old)
                await passwords.ChangeAsync(session, new LoginName(node.Domain.Name, node.Entry.Name), old, change.New, cancellationToken);
            else if (node.Entry.Id == session.AccountId)
                throw new LdapException(ResultCode.UnwillingToPerform, "to change one's own password takes the present one: delete it and add the new one, or use the Password Modify operation");
            else
                await passwords.ResetAsync(session, actor, node, change.New, cancellationToken);
            return LdapAnswer.Success;
        }

        var reference = ReferenceOf(node);
        for (int attempt = 1; ; attempt++)
        {
            try
            {
                if (node.Entry is Group)
                {
                    await administration.UpdateGroupAsync(actor, reference, Told<Group, (Group, IReadOnlyCollection<Guid>, IReadOnlyCollection<Guid>)>(group =>
                    {
                        var draft = Changed(group);
                        return ((Group)draft.ToEntry(group), draft.AddedIds, draft.RemovedIds);
                    }), cancellationToken);
                }
                else
                {
                    await administration.UpdateAsync(actor, reference, Told<DirectoryEntry, DirectoryEntry>(entry => Changed(entry).ToEntry(entry)), expectedRevision: null, cancellationToken);
                }

                return LdapAnswer.Success;
            }
            catch (CandelaException e) when (e.Code == ErrorCode.Conflict && attempt < AttemptCount)
            {
                // Somebody else was first: the modifications are applied to what is there now.
            }
            catch (CandelaException e) when (e.Code == ErrorCode.AlreadyExists)
            {
                throw new LdapException(ResultCode.ConstraintViolation, e.Message); // a number
            }
        }

        EntryDraft Changed(DirectoryEntry entry)
        {
            var draft = EntryDraft.Of(TreeNode.Of(directory.Current, node.Domain, entry));
            foreach (var modification in request.Modifications)
                draft.Apply(modification);
            return draft;
        }
    }

    /// <summary>Removes an entry.</summary>
    /// <exception cref="LdapException">It cannot be done.</exception>
    public async ValueTask<LdapAnswer> DeleteAsync(LdapSession session, DeleteRequest request, CancellationToken cancellationToken)
    {
        var current = directory.Current;
        var actor = session.RequireActor(current);
        var (node, _, _) = await finder.FindAsync(session, current, NodeFinder.Parse(request.Name), cancellationToken);
        RequireEntry(node);
        await administration.DeleteAsync(actor, ReferenceOf(node), cancellationToken);
        return LdapAnswer.Success;
    }

    /// <summary>Renames an entry.</summary>
    /// <exception cref="LdapException">It cannot be done.</exception>
    public async ValueTask<LdapAnswer> RenameAsync(LdapSession session, ModifyDnRequest request, CancellationToken cancellationToken)
    {
        var current = directory.Current;
        var actor = session.RequireActor(current);
        var name = NodeFinder.Parse(request.Name);
        var (node, _, _) = await finder.FindAsync(session, current, name, cancellationToken);
        RequireEntry(node);
        var relative = NodeFinder.Parse(request.NewRelativeName).RelativeNames is [var only] ? only : throw new LdapException(ResultCode.InvalidDnSyntax, "the new name must be one relative name");
        var naming = DirectoryTree.NamingAttribute(node.Unit);
        var entryName = DirectoryTree.ValueOf(relative, naming) ?? throw new LdapException(ResultCode.NamingViolation, $"an entry here is named by {naming.Name} alone");
        if (request.NewSuperior is { } superior && NameRule.Canonical(superior) != NameRule.Canonical(TreeNode.Of(current, node.Domain, node.Unit).Name))
            throw new LdapException(ResultCode.UnwillingToPerform, "an entry keeps its kind and its domain: it cannot be moved");
        if (!request.DeleteOldRelativeName)
            throw new LdapException(ResultCode.UnwillingToPerform, $"{naming.Name} has one value, so the old name cannot stay beside the new one: ask for its removal (ldapmodrdn -r)");
        await administration.UpdateAsync<DirectoryEntry>(actor, ReferenceOf(node), entry => entry with { Name = entryName }, expectedRevision: null, cancellationToken);
        return LdapAnswer.Success;
    }

    private static void RequireEntry(TreeNode node)
    {
        if (node.Kind != NodeKind.Entry)
            throw new LdapException(ResultCode.UnwillingToPerform, "domains and their units are not changed by LDAP: use the candela command");
    }

    // By id: it stays the same when the entry is renamed meanwhile.
    private static EntryReference ReferenceOf(TreeNode node) => new(node.Domain.Name, node.Entry.Kind, node.Entry.Id.ToString());

    private static bool IsPassword(AttributeValues attribute) => AttributeDescription.Parse(attribute.Attribute)?.Type == AttributeTypes.UserPassword;

    private static string? PasswordOf(LdapSession session, AddRequest request)
    {
        AttributeValues[] given = [.. request.Attributes.Where(IsPassword)];
        if (given.Length == 0)
            return null;
        if (!session.IsConfidential)
            throw new LdapException(ResultCode.ConfidentialityRequired, "passwords are taken under TLS only: use ldaps or StartTLS");
        return given is [{ Values: [var value] }] ? PasswordChange.TextOf(value) : throw new LdapException(ResultCode.ConstraintViolation, "an account has one password");
    }

    /// <summary>What an addition is called, before it is known whether more may be said.</summary>
    private static DirectoryEntry NamedOnly(EntryKind kind, string name) => kind switch
    {
        EntryKind.User => new User { DomainId = Guid.Empty, Name = name },
        EntryKind.ServiceAccount => new ServiceAccount { DomainId = Guid.Empty, Name = name },
        EntryKind.Machine => new MachineAccount { DomainId = Guid.Empty, Name = name },
        _ => throw new ArgumentOutOfRangeException(nameof(kind)),
    };

    /// <summary>Lets what LDAP says of a bad change pass through those who know nothing of LDAP.</summary>
    private static Func<TIn, TOut> Told<TIn, TOut>(Func<TIn, TOut> change) => input =>
    {
        try
        {
            return change(input);
        }
        catch (LdapException e)
        {
            throw new CandelaException(ErrorCode.InvalidArgument, e.Message, e);
        }
    };
}
