using System.Net.Security;
using System.Net.Sockets;
using System.Security.Authentication;
using Candela.Identity.Ldap.Operations;
using Candela.Identity.Ldap.Protocol;
using Candela.Identity.Ldap.Search;
using Candela.Model;
using Microsoft.Extensions.Logging;

namespace Candela.Identity.Ldap.Server;

/// <summary>
/// A client's connection: reads messages one after the other and starts their operations, which run side by side; binds run alone
/// (RFC 4511, 4.2.1).
/// </summary>
internal sealed partial class LdapConnection : IDisposable
{
    private const int BufferBytes = 4096;

    private readonly LdapServices _services;
    private readonly Socket _socket;
    private readonly bool _isTls;
    private readonly LdapSession _session;
    private readonly OutputQueue _output;
    private readonly Lock _gate = new();
    private readonly Dictionary<int, LdapOperation> _outstanding = [];
    private TaskCompletionSource? _allEnded;
    private Stream _stream;
    private byte[] _buffer = new byte[BufferBytes];
    private int _start;
    private int _end;
    private bool _isEnding;
    private long _idleSince;
    private long _unfinishedSince;

    public LdapConnection(LdapServices services, Socket socket, bool isTls, LdapSession session)
    {
        _services = services;
        _socket = socket;
        _isTls = isTls;
        _session = session;
        _stream = new NetworkStream(socket, ownsSocket: true);
        _output = new OutputQueue(services.Time) { Stream = _stream };
    }

    /// <summary>A handshake or a message has begun and not ended.</summary>
    public bool IsUnfinished => Volatile.Read(ref _unfinishedSince) != 0;

    /// <summary>Bytes that wait to be sent.</summary>
    public int UnsentBytes => _output.UnsentBytes;

    /// <summary>Serves the client until either side ends it.</summary>
    public async Task RunAsync()
    {
        try
        {
            if (_isTls)
                await SecureAsync();
            await ServeAsync();
        }
        catch (LdapProtocolException e)
        {
            Log.NotLdap(_services.Logger, _session.From, e.Message);
            await DisconnectAsync(new LdapResult(ResultCode.ProtocolError, e.Message));
        }
        catch (Exception e) when (IsBroken(e))
        {
            Log.Broken(_services.Logger, _session.From, e.Message);
        }
        catch (Exception e)
        {
            Log.Failed(_services.Logger, _session.From, e);
            await DisconnectAsync(new LdapResult(ResultCode.Other, "a defect of the server: see its log"));
        }
        finally
        {
            await EndOperationsAsync();
            Dispose();
        }
    }

    /// <summary>Ends what has taken too long: nothing is asked, a message or a handshake that does not come to its end, answers that are not taken.</summary>
    public void EndIfStale()
    {
        var progress = TimeSpan.FromSeconds(LdapLimits.ProgressSeconds);
        if (_output.Stalled > progress || Since(ref _unfinishedSince) > progress || Since(ref _idleSince) > IdleTime)
            Abort();
    }

    /// <summary>Ends at once; <see cref="RunAsync"/> ends soon.</summary>
    public void Abort() => _socket.Dispose();

    public void Dispose()
    {
        _output.Dispose();
        _session.Gssapi?.Dispose();
        _stream.Dispose();
        _socket.Dispose();
    }

    private TimeSpan IdleTime => TimeSpan.FromSeconds(_session.AccountId is null ? LdapLimits.AnonymousIdleSeconds : LdapLimits.IdleSeconds);

    /// <summary>Time since a moment; of 0, none.</summary>
    private TimeSpan Since(ref long moment) => Volatile.Read(ref moment) is not 0 and var since ? _services.Time.GetElapsedTime(since) : TimeSpan.Zero;

    private int MessageBytes => _session.AccountId is null ? LdapLimits.AnonymousMessageBytes : LdapLimits.MessageBytes;

    private async Task ServeAsync()
    {
        while (!_isEnding && _session.RefusedBindCount < LdapLimits.RefusedBindCount)
        {
            int? length = BerReader.MeasureMessage(_buffer.AsSpan(_start, _end - _start), MessageBytes);
            if (length is { } whole && _end - _start >= whole)
            {
                var message = MessageReader.Read(_buffer.AsSpan(_start, whole));
                _buffer.AsSpan(_start, whole).Clear(); // there may be a password in it
                _start += whole;
                Volatile.Write(ref _unfinishedSince, 0);
                await HandleAsync(message);
                if (_output.IsFull)
                    await _output.FlushAsync();
                continue;
            }

            // All that was asked at once is answered at once.
            var flushing = _output.FlushAsync();
            if (!await ReceiveAsync(length ?? 0))
                return;
            await flushing;
        }

        await _output.FlushAsync();
    }

    /// <summary>Receives more, with room for a message of this length; false: the client has ended.</summary>
    private async Task<bool> ReceiveAsync(int length)
    {
        if (_start == _end)
            _start = _end = 0;
        if (_buffer.Length - _start < length || _end == _buffer.Length)
        {
            var larger = Math.Max(length, BufferBytes) <= _buffer.Length ? _buffer : new byte[length];
            _buffer.AsSpan(_start, _end - _start).CopyTo(larger);
            (_buffer, _start, _end) = (larger, 0, _end - _start);
        }
        else if (_start == 0 && _end == 0 && _buffer.Length > BufferBytes)
        {
            _buffer = new byte[BufferBytes]; // a large message is rare
        }

        if (_end == _start)
            Volatile.Write(ref _idleSince, _services.Time.GetTimestamp());
        else if (_unfinishedSince == 0)
            Volatile.Write(ref _unfinishedSince, _services.Time.GetTimestamp());
        int count = await _stream.ReadAsync(_buffer.AsMemory(_end));
        Volatile.Write(ref _idleSince, 0);
        _end += count;
        return count > 0;
    }

    private async Task SecureAsync()
    {
        Volatile.Write(ref _unfinishedSince, _services.Time.GetTimestamp());
        var secured = new SslStream(_stream, leaveInnerStreamOpen: false);
        await secured.AuthenticateAsServerAsync(TlsOptions.Make(_services.Options.Certificate!()));
        Volatile.Write(ref _unfinishedSince, 0);
        _stream = _output.Stream = secured;
        _session.IsTls = true;
        _session.ClientCertificate = secured.RemoteCertificate?.GetRawCertData();
    }

    private ValueTask HandleAsync(LdapMessage message)
    {
        switch (message.Request)
        {
            case UnbindRequest:
                _isEnding = true;
                return ValueTask.CompletedTask;
            case AbandonRequest abandon:
                lock (_gate)
                {
                    if (_outstanding.TryGetValue(abandon.Id, out var operation))
                        operation.Abandon();
                }

                return ValueTask.CompletedTask;
            case BindRequest bind:
                return BindAsync(message, bind);
            case ExtendedRequest { Name: LdapOids.StartTls } start:
                return StartTlsAsync(message.Id, start);
            default:
                Start(message);
                return ValueTask.CompletedTask;
        }
    }

    private async ValueTask BindAsync(LdapMessage message, BindRequest bind)
    {
        await EndOperationsAsync();
        Answer(message, FindUnknownCritical(message.Controls) is { } refusal ? refusal : await _services.Bind.RunAsync(_session, bind, message.Controls));
        if (_session.Gssapi is not { LayerBytes: > 0 } layer)
            return;

        // What was sent before the layer would count as sent under its protection.
        if (_end > _start)
            throw new LdapProtocolException("there was more behind the bind that begins a security layer");
        await _output.FlushAsync();
        _stream = _output.Stream = new SaslStream(_stream, layer);
        _session.Gssapi = null;
        _session.IsLayered = true;
    }

    private async ValueTask StartTlsAsync(int id, ExtendedRequest request)
    {
        await EndOperationsAsync();
        var result = request.Value is not null ? new LdapResult(ResultCode.ProtocolError, "StartTLS has no value")
            : _session.IsTls ? new LdapResult(ResultCode.OperationsError, "TLS protects the connection already")
            : _session.IsLayered ? new LdapResult(ResultCode.OperationsError, "a security layer of SASL protects the connection already")
            : _services.Options.Certificate is null ? new LdapResult(ResultCode.Unavailable, "this server has no certificate")
            : LdapResult.Success;

        // What was sent before the handshake would count as sent under its protection.
        if (result.Code == ResultCode.Success && _end > _start)
            throw new LdapProtocolException("there was more behind StartTLS");
        ResponseWriter.Write(_output, id, LdapTags.ExtendedResponse, new LdapAnswer(result, Name: LdapOids.StartTls));
        if (result.Code != ResultCode.Success)
            return;
        await _output.FlushAsync();
        await SecureAsync();
    }

    /// <summary>Starts an operation; one that is ready at once has ended when this returns.</summary>
    private void Start(LdapMessage message)
    {
        var operation = new LdapOperation(message.Id);
        bool isTooMany;
        lock (_gate)
        {
            isTooMany = _outstanding.Count >= LdapLimits.OutstandingCount;
            if (!isTooMany && !_outstanding.TryAdd(message.Id, operation))
                throw new LdapProtocolException("the number of a message is that of another one that is under way");
        }

        if (isTooMany)
            Answer(message, new LdapResult(ResultCode.Busy, $"at most {LdapLimits.OutstandingCount} operations at a time: wait for some to end"));
        else
            _ = OperateAsync(operation, message);
    }

    private async Task OperateAsync(LdapOperation operation, LdapMessage message)
    {
        try
        {
            var executing = ExecuteAsync(operation, message);
            bool isReady = executing.IsCompleted;
            await executing;

            // What is ready at once is sent with what else was asked at once.
            if (!isReady)
                await _output.FlushAsync();
        }
        catch (Exception e) when (operation.IsAbandoned || IsBroken(e))
        {
            // Nobody waits for it any more.
        }
        catch (Exception e)
        {
            Log.Failed(_services.Logger, _session.From, e);
            Answer(message, new LdapResult(ResultCode.Other, "a defect of the server: see its log"));
            _ = _output.FlushAsync();
        }
        finally
        {
            lock (_gate)
            {
                _outstanding.Remove(operation.Id);
                operation.Dispose();
                if (_outstanding.Count == 0)
                {
                    _allEnded?.SetResult();
                    _allEnded = null;
                }
            }
        }
    }

    private async ValueTask ExecuteAsync(LdapOperation operation, LdapMessage message)
    {
        LdapAnswer answer;
        try
        {
            answer = FindUnknownCritical(message.Controls) is { } refusal ? refusal : await ExecuteAsync(operation, message.Request, message.Controls);
        }
        catch (LdapException e)
        {
            answer = e.Result;
        }
        catch (CandelaException e)
        {
            answer = Results.Of(e);
        }
        catch (LdapProtocolException e)
        {
            answer = new LdapResult(ResultCode.ProtocolError, e.Message);
        }

        Answer(message, answer);
    }
    private async ValueTask<LdapAnswer> ExecuteAsync(LdapOperation operation, LdapRequest request, IReadOnlyList<LdapControl> controls) => request switch
    {
        SearchRequest search => await _services.Search.RunAsync(_session, operation, search, PageRequest.Read(controls), _output, operation.Abandoned),
        CompareRequest compare => await _services.Compare.RunAsync(_session, compare, operation.Abandoned),
        AddRequest add => await _services.Write.AddAsync(_session, add, operation.Abandoned),
        ModifyRequest modify => await _services.Write.ModifyAsync(_session, modify, operation.Abandoned),
        DeleteRequest delete => await _services.Write.DeleteAsync(_session, delete, operation.Abandoned),
        ModifyDnRequest rename => await _services.Write.RenameAsync(_session, rename, operation.Abandoned),
        ExtendedRequest extended => await _services.Extended.RunAsync(_session, extended, operation.Abandoned),
        RefusedRequest refused => refused.Result,
        _ => throw new ArgumentOutOfRangeException(nameof(request)),
    };

    private void Answer(LdapMessage message, LdapAnswer answer)
    {
        if (ResponseWriter.ResponseOf(message.Request) is { } tag)
            ResponseWriter.Write(_output, message.Id, tag, answer);
    }

    /// <summary>The refusal that a critical control asks for that is not known (RFC 4511, 4.1.11); null: all are known or not critical.</summary>
    private static LdapResult? FindUnknownCritical(IReadOnlyList<LdapControl> controls)
    {
        foreach (var control in controls)
        {
            if (control.IsCritical && control.Type is not (LdapOids.PagedResults or LdapOids.ManageDsaIt or LdapOids.PasswordPolicy))
                return new LdapResult(ResultCode.UnavailableCriticalExtension, "there is no such control here");
        }

        return null;
    }

    private async Task DisconnectAsync(LdapResult result)
    {
        try
        {
            ResponseWriter.Write(_output, 0, LdapTags.ExtendedResponse, new LdapAnswer(result, Name: LdapOids.Disconnection));
            await _output.FlushAsync();
        }
        catch (Exception e) when (IsBroken(e))
        {
            // Gone already.
        }
    }

    /// <summary>Abandons what is under way and waits for it to end.</summary>
    private Task EndOperationsAsync()
    {
        lock (_gate)
        {
            if (_outstanding.Count == 0)
                return Task.CompletedTask;
            var allEnded = _allEnded ??= new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            foreach (var operation in _outstanding.Values.ToArray())
                operation.Abandon(); // some end as they are told
            return allEnded.Task;
        }
    }

    private static bool IsBroken(Exception reason) =>
        reason is IOException or SocketException or ObjectDisposedException or AuthenticationException or OperationCanceledException;

    private static partial class Log
    {
        [LoggerMessage(1, LogLevel.Information, "{From} does not speak LDAP as it should: {Reason}")]
        public static partial void NotLdap(ILogger logger, string from, string reason);

        [LoggerMessage(2, LogLevel.Debug, "The connection of {From} ended: {Reason}")]
        public static partial void Broken(ILogger logger, string from, string reason);

        [LoggerMessage(3, LogLevel.Error, "A request of {From} met a defect")]
        public static partial void Failed(ILogger logger, string from, Exception reason);
    }
}
