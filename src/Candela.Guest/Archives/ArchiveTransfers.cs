using Candela.Guest.Channel;
using Candela.Guest.Files;
using Candela.Guest.Protocol;
using Candela.Guest.Protocol.Host;

namespace Candela.Guest.Archives;

/// <summary>Archives under way in either direction, by the number of the request that began them.</summary>
internal sealed class ArchiveTransfers(FrameSender sender)
{
    private const int Most = 16;

    private readonly Dictionary<uint, ArchiveDownload> _downloads = [];
    private readonly Dictionary<uint, ArchiveWriter> _uploads = [];
    private readonly List<uint> _turn = [];
    private int _next;

    /// <summary>Begins to read <paramref name="path"/>; its stat is written as the reply, the data follows.</summary>
    /// <exception cref="AgentFailure">It cannot be read, or too many transfers are under way.</exception>
    public void BeginDownload(uint request, string path, MessageWriter reply)
    {
        CheckRoom(request);
        var archive = ArchiveReader.Open(GuestPaths.Root, path);
        ReplyCodec.Write(reply, archive.Stat);
        _downloads.Add(request, new ArchiveDownload(request, archive));
        _turn.Add(request);
    }

    /// <summary>Begins to read what the host asks of the whole container; the data follows the reply.</summary>
    /// <exception cref="AgentFailure">It cannot be read, there is no such thing, or too many transfers are under way.</exception>
    public void BeginDownload(uint request, GuestTree tree)
    {
        CheckRoom(request);
        var layer = new WritableLayer(GuestPaths.Scratch + "/upper", GuestPaths.Image);
        IArchiveSource archive = tree switch
        {
            GuestTree.Root => ArchiveReader.OpenWhole(ConfinedRoot.WithoutMounts(GuestPaths.Root)),
            GuestTree.Layer => ArchiveReader.OpenLayer(layer),
            GuestTree.Changes => new ChangesReader(layer),
            _ => throw new AgentFailure(AgentError.InvalidArgument, $"there is no tree {(byte)tree}"),
        };
        _downloads.Add(request, new ArchiveDownload(request, archive));
        _turn.Add(request);
    }

    /// <summary>Begins to unpack into <paramref name="path"/>; the reply follows when all is there.</summary>
    /// <exception cref="AgentFailure">It is no folder, or too many transfers are under way.</exception>
    public void BeginUpload(uint request, string path, bool noOverwriteDirNonDir)
    {
        CheckRoom(request);
        _uploads.Add(request, ArchiveWriter.Open(GuestPaths.Root, path, noOverwriteDirNonDir));
    }

    /// <summary>Unpacks a piece, or ends the archive when it is empty. Pieces of a transfer that has ended are dropped.</summary>
    /// <exception cref="AgentFailure">The archive is bad or an entry could not be made; the transfer has ended.</exception>
    public void Upload(uint request, ReadOnlySpan<byte> data)
    {
        if (!_uploads.TryGetValue(request, out var archive))
            return;
        try
        {
            archive.Write(data);
            if (data.Length > 0)
            {
                sender.Send(new FrameHeader(FrameType.ArchiveUpCredit, 0, 0, 0, request, (ulong)data.Length), []);
                return;
            }
            archive.Complete();
            sender.Send(new FrameHeader(FrameType.Reply, 0, 0, 0, request, 0), []);
        }
        catch
        {
            End(request);
            throw;
        }
        End(request);
    }

    /// <summary>The host has taken data of a download.</summary>
    public void Grant(uint request, ulong bytes) => _downloads.GetValueOrDefault(request)?.Grant(bytes);

    /// <summary>Appends a frame of the download whose turn it is. False: nothing may be sent now.</summary>
    public bool SendNext()
    {
        for (var i = 0; i < _turn.Count; i++)
        {
            _next = (_next + 1) % _turn.Count;
            var request = _turn[_next];
            if (!_downloads[request].CanSend)
                continue;
            try
            {
                if (!_downloads[request].SendNext(sender))
                    End(request);
            }
            catch (AgentFailure failure)
            {
                End(request);
                Refusal.Send(sender, request, failure.Error, failure.Message);
            }
            return true;
        }
        return false;
    }

    /// <summary>Gives a transfer up.</summary>
    public void End(uint request)
    {
        if (_downloads.Remove(request, out var download))
        {
            download.Dispose();
            _turn.Remove(request);
        }
        if (_uploads.Remove(request, out var upload))
            upload.Dispose();
    }

    /// <summary>Gives all up.</summary>
    public void EndAll()
    {
        foreach (var download in _downloads.Values)
            download.Dispose();
        foreach (var upload in _uploads.Values)
            upload.Dispose();
        _downloads.Clear();
        _uploads.Clear();
        _turn.Clear();
    }

    private void CheckRoom(uint request)
    {
        if (_downloads.Count + _uploads.Count >= Most)
            throw new AgentFailure(AgentError.LimitExceeded, $"more than {Most} archives are under way");
        if (_downloads.ContainsKey(request) || _uploads.ContainsKey(request))
            throw new AgentFailure(AgentError.InvalidArgument, $"request {request} is under way");
    }
}
