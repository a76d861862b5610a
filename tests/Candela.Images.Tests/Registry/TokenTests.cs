using System.Text;
using System.Web;
using Candela.Model;
using Candela.Tests.Shared;

namespace Candela.Images.Tests.Registry;

/// <summary>A registry and a token server in one: the registry takes the tokens that the server gave and that did not run out.</summary>
public sealed class TokenTests : IAsyncDisposable
{
    private readonly FakeImage _image = new();
    private readonly RegistryClient _client = new();
    private readonly FakeServer _server;
    private readonly HashSet<string> _good = [];
    private readonly Lock _gate = new();
    private int _given;
    private Func<FakeRequest, bool> _mayHaveToken = static _ => true;
    private string? _realm;
    private bool _tokensAreGood = true;

    public TokenTests() => _server = new FakeServer(Answer);

    [Fact]
    public async Task Pulls_with_an_anonymous_token_and_asks_for_it_once()
    {
        Assert.Equal(_image.Layer, await _client.FetchLayerAsync(_server));

        var request = Assert.Single(TokenRequests);
        Assert.Equal("GET", request.Method);
        Assert.Null(request.Authorization);
        var query = HttpUtility.ParseQueryString(request.Target[(request.Target.IndexOf('?', StringComparison.Ordinal) + 1)..]);
        Assert.Equal("test registry", query["service"]);
        Assert.Equal("repository:app:pull", query["scope"]);
        Assert.Equal("1", query["kept"]);
    }

    [Fact]
    public async Task Sends_the_password_to_the_token_server_only()
    {
        var basic = "Basic " + Convert.ToBase64String(Encoding.UTF8.GetBytes("jo:pä:ss"));
        _mayHaveToken = request => request.Authorization == basic;

        Assert.Equal(_image.Layer, await _client.FetchLayerAsync(_server, new RegistryCredential("jo", "pä:ss", null)));

        Assert.Contains("account=jo", Assert.Single(TokenRequests).Target, StringComparison.Ordinal);
        Assert.DoesNotContain(_server.Requests, request => !IsToken(request) && request.Authorization == basic);
    }

    [Fact]
    public async Task Exchanges_an_identity_token()
    {
        _mayHaveToken = static request => request.Method == "POST" && HttpUtility.ParseQueryString(request.Body) is var form
            && form["grant_type"] == "refresh_token" && form["refresh_token"] == "identity" && form["scope"] == "repository:app:pull" && form["service"] == "test registry";

        Assert.Equal(_image.Layer, await _client.FetchLayerAsync(_server, new RegistryCredential("", "", "identity")));
    }

    [Fact]
    public async Task Gets_another_token_when_the_registry_no_longer_takes_the_first()
    {
        await using var image = await _client.ResolveAsync(_server);
        lock (_gate)
            _good.Clear();

        await image.FetchAsync(image.Layers[0], _client.FilePath, null, TestContext.Current.CancellationToken);

        Assert.Equal(2, TokenRequests.Count());
    }

    [Theory]
    [InlineData(50, 1)]
    [InlineData(60, 2)]
    public async Task Keeps_a_token_until_shortly_before_it_expires(int secondsLater, int expectedTokens)
    {
        var clock = new ManualTimeProvider();
        using var client = new RegistryClient(time: clock);
        await using var image = await client.ResolveAsync(_server);
        var refusals = Refusals;

        clock.Advance(TimeSpan.FromSeconds(secondsLater));
        await image.FetchAsync(image.Layers[0], client.FilePath, null, TestContext.Current.CancellationToken);

        Assert.Equal(expectedTokens, TokenRequests.Count());
        Assert.Equal(refusals, Refusals);
    }

    [Fact]
    public async Task Fetches_three_layers_at_a_time_with_one_new_token()
    {
        await using var image = await _client.ResolveAsync(_server);
        lock (_gate)
            _good.Clear();

        await Task.WhenAll(Enumerable.Range(0, 3).Select(i => image.FetchAsync(image.Layers[0], _client.FilePath + i, null, TestContext.Current.CancellationToken)));

        Assert.Equal(2, TokenRequests.Count());
        Assert.All(Enumerable.Range(0, 3), i => Assert.Equal(_image.Layer, File.ReadAllBytes(_client.FilePath + i)));
    }

    [Fact]
    public async Task Says_that_credentials_are_wrong()
    {
        _mayHaveToken = static _ => false;

        var failure = await _client.FailToResolveAsync(_server, new RegistryCredential("jo", "wrong", null));

        Assert.Equal(ErrorCode.Unauthenticated, failure.Code);
        Assert.Contains("incorrect username or password", failure.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(false, ErrorCode.ImageNotFound)]
    [InlineData(true, ErrorCode.PermissionDenied)]
    public async Task Says_that_access_is_denied_when_the_token_does_not_do(bool loggedIn, ErrorCode expected)
    {
        _tokensAreGood = false;

        var failure = await _client.FailToResolveAsync(_server, loggedIn ? new RegistryCredential("jo", "secret", null) : null);

        Assert.Equal(expected, failure.Code);
        Assert.Equal($"pull access denied for {_server.Authority}/app, repository does not exist or may require 'docker login': denied: requested access to the resource is denied", failure.Message);
        Assert.Single(TokenRequests);
    }

    [Theory]
    [InlineData("")]
    [InlineData("not a url")]
    [InlineData("file:///etc/shadow")]
    [InlineData("ftp://127.0.0.1/token")]
    public async Task Refuses_a_realm_that_is_no_web_address(string realm)
    {
        _realm = realm;

        Assert.Equal(ErrorCode.Unavailable, (await _client.FailToResolveAsync(_server)).Code);
    }

    [Theory]
    [InlineData("{}")]
    [InlineData("[]")]
    [InlineData("""{"token":""}""")]
    [InlineData("""{"token":7}""")]
    [InlineData("""{"token":"a\r\nX-Injected: 1"}""")]
    public async Task Refuses_what_is_no_token(string body)
    {
        await using var tokens = new FakeServer(_ => FakeAnswer.Json(body));
        _realm = $"http://{tokens.Authority}/token";

        Assert.Equal(ErrorCode.Unavailable, (await _client.FailToResolveAsync(_server)).Code);
    }

    [Fact]
    public async Task Does_not_send_an_identity_token_after_a_redirect()
    {
        await using var elsewhere = new FakeServer(_ => FakeAnswer.Json("""{"token":"t"}"""));
        await using var tokens = new FakeServer(_ => FakeAnswer.Redirect($"http://{elsewhere.Authority}/token"));
        _realm = $"http://{tokens.Authority}/token";

        Assert.Equal(ErrorCode.PermissionDenied, (await _client.FailToResolveAsync(_server, new RegistryCredential("", "", "identity"))).Code);

        Assert.Empty(elsewhere.Requests);
    }

    public async ValueTask DisposeAsync()
    {
        await _server.DisposeAsync();
        _client.Dispose();
    }

    private int Refusals => _server.Requests.Count(static request => !IsToken(request) && request.Authorization is null);

    private IEnumerable<FakeRequest> TokenRequests => _server.Requests.Where(IsToken);

    private static bool IsToken(FakeRequest request) => request.Target.StartsWith("/token", StringComparison.Ordinal);

    private FakeAnswer Answer(FakeRequest request)
    {
        lock (_gate)
        {
            if (IsToken(request))
            {
                if (!_mayHaveToken(request))
                    return FakeAnswer.Json("""{"details":"incorrect username or password"}""", 401);
                var token = $"token-{++_given}";
                if (_tokensAreGood)
                    _good.Add(token);
                return FakeAnswer.Json($$"""{"token":"{{token}}"}""");
            }

            return request.Authorization is { } authorization && authorization.StartsWith("Bearer ", StringComparison.Ordinal) && _good.Contains(authorization[7..])
                ? _image.Answer(request)
                : FakeAnswer.Challenge($"Bearer realm=\"{_realm ?? $"http://{_server.Authority}/token?kept=1"}\",service=\"test registry\",scope=\"repository:app:pull\"{(request.Authorization is null ? "" : ",error=\"insufficient_scope\"")}");
        }
    }
}
