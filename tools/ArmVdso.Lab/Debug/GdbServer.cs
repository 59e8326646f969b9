using System.Globalization;
using System.Text;

namespace ArmVdso.Lab.Debug;

/// <summary>Serves a debugger: the GDB remote protocol with its multiprocess extension, all-stop. What is not known gets the empty answer
/// that the protocol has for it; what is malformed or cannot be done gets an error.</summary>
public sealed partial class GdbServer
{
    private const string Ok = "OK", Malformed = "E16", Failed = "E01";
    private readonly DebuggerLine _line;
    private readonly DebugTarget _target;
    private readonly string _osAbi;
    private readonly Action _flush;
    private ThreadId _general, _moving;
    private DebugStop _stop;
    private bool _multiprocess, _over;

    /// <summary>A server of one debugger.</summary>
    /// <param name="line">The line to it.</param>
    /// <param name="target">What is debugged; it stands.</param>
    /// <param name="osAbi">What programs are of, as GDB calls it; empty: a kernel's.</param>
    /// <param name="flush">Called before a stop is told: output of the guest comes first.</param>
    public GdbServer(DebuggerLine line, DebugTarget target, string osAbi, Action flush)
    {
        _line = line;
        _target = target;
        _osAbi = osAbi;
        _flush = flush;
        _line.Stop = target.RequestStop;
        target.Tell = text => line.Send("O" + Hex(text));
        _general = target.Threads is [var first, ..] ? first : default;
        _stop = new DebugStop(StopKind.Step, _general);
    }

    /// <summary>Serves until the debugger leaves, or what is debugged has ended.</summary>
    /// <exception cref="LabException">As <see cref="Session.Run"/>.</exception>
    public void Serve()
    {
        while (!_over && _line.Next() is { } packet)
        {
            string answer;
            try
            {
                answer = Answer(packet);
            }
            catch (FormatException)
            {
                answer = Malformed;
            }
            // A stop that ends everything is told, and then nobody asks any more.
            _line.Send(answer);
        }
        _line.HangUp();
        _target.Detach(-1);
    }

    private string Answer(string packet)
    {
        if (packet.Length == 0)
            return "";
        string rest = packet[1..];
        switch (packet[0])
        {
            case '?':
                return StopText(_stop);
            case 'g':
                return AllRegisters();
            case 'G':
                return WriteAll(rest);
            case 'p':
                return Registers((int)Number(rest));
            case 'P':
                return WriteOne(rest);
            case 'm':
                return ReadMemory(rest);
            case 'M' or 'X':
                return WriteMemory(rest, packet[0] == 'X');
            case 'H':
                return Select(rest);
            case 'T':
                return _target.Threads.Contains(Thread(rest)) ? Ok : Failed;
            case 'z' or 'Z':
                return Breakpoint(rest, packet[0] == 'Z');
            case 'c' or 's':
                return Move(Single(packet[0] == 's', 0), rest);
            case 'C' or 'S':
                string[] parts = rest.Split(';', 2);
                return Move(Single(packet[0] == 'S', GdbSignals.ToLinux((int)Number(parts[0]))), parts.Length > 1 ? parts[1] : "");
            case 'b' when rest is "s" or "c":
                return Back(rest == "s");
            case 'D':
                return Leave(rest);
            case 'k':
                _target.Kill(-1);
                _over = true;
                return "";
            case 'q' or 'Q':
                return Query(packet);
            case 'v':
                return Verbose(packet);
            default:
                return "";
        }
    }

    private string Verbose(string packet)
    {
        if (packet == "vCont?")
            return "vCont;c;C;s;S;r";
        if (packet.StartsWith("vCont;", StringComparison.Ordinal))
            return Continue(packet["vCont;".Length..]);
        if (packet.StartsWith("vKill;", StringComparison.Ordinal))
        {
            _target.Kill((int)Number(packet["vKill;".Length..]));
            return Ok;
        }
        return packet.StartsWith("vFile:", StringComparison.Ordinal) ? Files(packet["vFile:".Length..]) : "";
    }

    private string Leave(string rest)
    {
        int pid = rest.StartsWith(';') ? (int)Number(rest[1..]) : -1;
        _target.Detach(pid);
        // The others that are debugged wait for what comes next.
        _over = _target.Threads.Count == 0;
        return Ok;
    }

    private string Select(string rest)
    {
        if (rest.Length < 2)
            return Malformed;
        ThreadId thread = Thread(rest[1..]);
        if (rest[0] == 'c')
        {
            // For steps backwards alone: else vCont says which threads go on.
            _moving = thread;
            return Ok;
        }
        if (thread.Tid is 0 or -1)
            thread = _target.Threads.FirstOrDefault(t => thread.Pid is 0 or -1 || t.Pid == thread.Pid);
        if (!_target.Threads.Contains(thread))
            return Failed;
        _general = thread;
        return Ok;
    }

    private string AllRegisters()
    {
        var text = new StringBuilder();
        for (int i = 0; i < DebugTarget.RegisterCount; i++)
            text.Append(Registers(i));
        return text.ToString();
    }

    private string Registers(int register)
    {
        if (register is < 0 or >= DebugTarget.RegisterCount)
            return Failed;
        Span<byte> value = stackalloc byte[16];
        int size = DebugTarget.SizeOf(register);
        return _target.ReadRegister(_general, register, value) ? Hex(value[..size]) : new string('x', 2 * size);
    }

    private string WriteAll(string text)
    {
        byte[] bytes = Bytes(text);
        for (int i = 0, at = 0; i < DebugTarget.RegisterCount && at + DebugTarget.SizeOf(i) <= bytes.Length; at += DebugTarget.SizeOf(i++))
            _target.WriteRegister(_general, i, bytes.AsSpan(at, DebugTarget.SizeOf(i)));
        return Ok;
    }

    private string WriteOne(string text)
    {
        string[] parts = text.Split('=');
        if (parts.Length != 2)
            return Malformed;
        int register = (int)Number(parts[0]);
        byte[] value = Bytes(parts[1]);
        return register is >= 0 and < DebugTarget.RegisterCount && value.Length == DebugTarget.SizeOf(register)
            && _target.WriteRegister(_general, register, value) ? Ok : Failed;
    }

    private string ReadMemory(string text)
    {
        (ulong address, ulong length) = Pair(text);
        var bytes = new byte[(int)Math.Min(length, PacketReader.Longest / 2)];
        int n = _target.ReadMemory(_general, address, bytes);
        return n == 0 && bytes.Length > 0 ? "E14" : Hex(bytes.AsSpan(0, n));
    }

    private string WriteMemory(string text, bool binary)
    {
        int colon = text.IndexOf(':', StringComparison.Ordinal);
        if (colon < 0)
            return Malformed;
        (ulong address, ulong length) = Pair(text[..colon]);
        byte[] bytes = binary ? Encoding.Latin1.GetBytes(text[(colon + 1)..]) : Bytes(text[(colon + 1)..]);
        if ((ulong)bytes.Length != length)
            return Malformed;
        return bytes.Length == 0 || _target.WriteMemory(_general, address, bytes) ? Ok : "E14";
    }

    private string Breakpoint(string text, bool there)
    {
        string[] parts = text.Split(';')[0].Split(',');
        if (parts.Length != 3)
            return Malformed;
        ulong address = Number(parts[1]), length = Number(parts[2]);
        switch (parts[0])
        {
            case "0" or "1":
                _target.Breakpoints.Put(_general.Pid, address, there);
                return Ok;
            case "2" or "3" or "4" when _target.HasWatchpoints:
                if (length is 0 or > MostWatched)
                    return Failed;
                WatchKind kind = parts[0] switch { "2" => WatchKind.Write, "3" => WatchKind.Read, _ => WatchKind.Any };
                _target.Breakpoints.Put(_general.Pid, new Watchpoint(address, length, kind), there);
                return Ok;
            default:
                return "";
        }
    }

    /// <summary>Bytes that one watchpoint may watch.</summary>
    private const ulong MostWatched = 1 << 20;

    private ThreadId Thread(string text)
    {
        if (!text.StartsWith('p'))
        {
            int tid = Id(text);
            return new ThreadId(_target.Threads.FirstOrDefault(t => t.Tid == tid, _general).Pid, tid);
        }
        string[] parts = text[1..].Split('.');
        return new ThreadId(Id(parts[0]), parts.Length > 1 ? Id(parts[1]) : -1);
    }

    private static int Id(string text) => text == "-1" ? -1 : (int)Number(text);

    private string Text(ThreadId thread) => _multiprocess ? $"p{thread.Pid:x}.{thread.Tid:x}" : $"{thread.Tid:x}";

    private static (ulong First, ulong Second) Pair(string text)
    {
        string[] parts = text.Split(',');
        return parts.Length == 2 ? (Number(parts[0]), Number(parts[1])) : throw new FormatException();
    }

    private static ulong Number(string text) => ulong.Parse(text, NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture);

    private static byte[] Bytes(string hex) => Convert.FromHexString(hex);

    private static string Hex(ReadOnlySpan<byte> bytes) => Convert.ToHexStringLower(bytes);

    private static string Hex(string text) => Hex(Encoding.UTF8.GetBytes(text));
}
