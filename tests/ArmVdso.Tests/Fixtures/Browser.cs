using System.Diagnostics;
using System.Net.WebSockets;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace ArmVdso.Tests.Fixtures;

/// <summary>Debian's chromium without a window, spoken to by the DevTools protocol: what a page is, says and asks for.</summary>
internal sealed class Browser : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("armvdso-browser").FullName;
    private readonly Process _process;
    private readonly ClientWebSocket _socket = new();
    private readonly List<JsonElement> _events = [];
    private string? _session;
    private int _last;

    internal Browser()
    {
        string[] arguments =
        [
            "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
            "--disable-component-update", "--disable-sync", "--hide-scrollbars", "--remote-debugging-port=0",
            $"--user-data-dir={_folder}", "about:blank",
        ];
        var start = new ProcessStartInfo("chromium", arguments) { RedirectStandardError = true, RedirectStandardOutput = true };
        _process = Process.Start(start) ?? throw new InvalidOperationException("chromium did not start");
        var said = new StringBuilder();
        string? address = null;
        while (address is null)
        {
            string line = _process.StandardError.ReadLine() ?? throw new InvalidOperationException($"chromium ended: {said}");
            said.AppendLine(line);
            int at = line.IndexOf("ws://", StringComparison.Ordinal);
            if (line.StartsWith("DevTools listening", StringComparison.Ordinal) && at > 0)
                address = line[at..].Trim();
        }
        // What it says from now on is of no interest, but must not fill the pipe.
        _ = _process.StandardError.ReadToEndAsync();
        _ = _process.StandardOutput.ReadToEndAsync();
        _socket.ConnectAsync(new Uri(address), CancellationToken.None).GetAwaiter().GetResult();
    }

    /// <summary>What the open page said on the console, threw, or reported otherwise.</summary>
    internal IEnumerable<string> Complaints => Of("Runtime.consoleAPICalled", "Runtime.exceptionThrown", "Log.entryAdded");

    /// <summary>Addresses that the open page asked for, its own left out.</summary>
    internal IEnumerable<string> Requests => Of("Network.requestWillBeSent").Skip(1).Where(r => !r.Contains("\"url\":\"data:"));

    private IEnumerable<string> Of(params string[] methods) =>
        _events.Where(e => methods.Contains(e.GetProperty("method").GetString())).Select(e => e.GetRawText());

    /// <summary>Opens a file in a page of its own and waits until it has drawn all.</summary>
    internal void Open(string file, int width, bool dark)
    {
        _session = null;
        string target = Call("Target.createTarget", new() { ["url"] = "about:blank" }).GetProperty("targetId").GetString()!;
        _session = Call("Target.attachToTarget", new() { ["targetId"] = target, ["flatten"] = true }).GetProperty("sessionId").GetString();
        _events.Clear();
        foreach (string domain in new[] { "Page", "Runtime", "Log", "Network" })
            Call($"{domain}.enable");
        Call("Emulation.setDeviceMetricsOverride", new()
        {
            ["width"] = width,
            ["height"] = 900,
            ["deviceScaleFactor"] = 1,
            ["mobile"] = false,
        });
        var scheme = new JsonObject { ["name"] = "prefers-color-scheme", ["value"] = dark ? "dark" : "light" };
        Call("Emulation.setEmulatedMedia", new() { ["features"] = new JsonArray(scheme) });
        Call("Page.navigate", new() { ["url"] = new Uri(file).AbsoluteUri });
        while (Value("location.protocol === 'file:' && document.readyState").GetString() != "complete")
            Thread.Sleep(20);
        // What depends on sizes is drawn with the next frame.
        Value("new Promise(done => requestAnimationFrame(() => requestAnimationFrame(() => done(1))))");
    }

    /// <summary>The value of an expression in the open page.</summary>
    internal JsonElement Value(string expression)
    {
        JsonElement result = Call("Runtime.evaluate", new()
        {
            ["expression"] = expression,
            ["returnByValue"] = true,
            ["awaitPromise"] = true,
        });
        Assert.False(result.TryGetProperty("exceptionDetails", out JsonElement thrown), $"{expression}: {thrown}");
        return result.GetProperty("result").TryGetProperty("value", out JsonElement value) ? value : default;
    }

    /// <summary>Presses a key.</summary>
    internal void Press(string key)
    {
        foreach (string type in new[] { "keyDown", "keyUp" })
            Call("Input.dispatchKeyEvent", new() { ["type"] = type, ["key"] = key });
    }

    private JsonElement Call(string method, JsonObject? parameters = null)
    {
        int id = ++_last;
        var message = new JsonObject { ["id"] = id, ["method"] = method, ["params"] = parameters ?? [] };
        if (_session is not null)
            message["sessionId"] = _session;
        byte[] bytes = Encoding.UTF8.GetBytes(message.ToJsonString());
        _socket.SendAsync(bytes, WebSocketMessageType.Text, true, CancellationToken.None).GetAwaiter().GetResult();
        while (true)
        {
            JsonElement answer = Receive();
            if (!answer.TryGetProperty("id", out JsonElement of))
                _events.Add(answer);
            else if (of.GetInt32() == id)
                return answer.TryGetProperty("result", out JsonElement result)
                    ? result : throw new InvalidOperationException($"{method}: {answer.GetRawText()}");
        }
    }

    private JsonElement Receive()
    {
        using var text = new MemoryStream();
        byte[] buffer = new byte[1 << 16];
        ValueWebSocketReceiveResult got;
        do
        {
            got = _socket.ReceiveAsync(buffer.AsMemory(), CancellationToken.None).AsTask().GetAwaiter().GetResult();
            text.Write(buffer, 0, got.Count);
        }
        while (!got.EndOfMessage);
        return JsonDocument.Parse(text.ToArray()).RootElement;
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _socket.Dispose();
        _process.Kill(true);
        _process.WaitForExit();
        _process.Dispose();
        Directory.Delete(_folder, true);
    }
}
