using System.Security;
using System.Text;

namespace ArmVdso.Lab.Debug;

/// <summary>Questions and settings: q and Q.</summary>
public sealed partial class GdbServer
{
    private string Query(string packet)
    {
        int end = packet.IndexOfAny([':', ',', ';']);
        string name = end < 0 ? packet : packet[..end], rest = end < 0 ? "" : packet[(end + 1)..];
        switch (name)
        {
            case "qSupported":
                return Supported(rest);
            case "QStartNoAckMode":
                _line.BeSilent();
                return Ok;
            case "qAttached":
                return "0";
            case "qC":
                return $"QC{Text(_general)}";
            case "qfThreadInfo":
                return "m" + string.Join(',', _target.Threads.Select(Text));
            case "qsThreadInfo":
                return "l";
            case "qThreadExtraInfo":
                return Hex(_target.Name(Thread(rest)));
            case "qXfer":
                return Transfer(rest);
            case "qSymbol":
                return Ok;
            case "qRcmd":
                return Monitor(Encoding.UTF8.GetString(Bytes(rest)));
            case "QPassSignals":
                _target.PassedSignals = rest.Split(';', StringSplitOptions.RemoveEmptyEntries)
                    .Select(s => GdbSignals.ToLinux((int)Number(s))).ToHashSet();
                return Ok;
            case "QCatchSyscalls":
                string[] calls = rest.Split(';');
                _target.CaughtCalls = calls[0] == "1" ? calls[1..].Select(c => (int)Number(c)).ToHashSet() : null;
                return Ok;
            case "qMemoryRegionInfo":
                return Region(Number(rest));
            case "qHostInfo":
                return $"triple:{Hex(Triple)};ptrsize:8;endian:little;watchpoint_exceptions_received:before;";
            case "qProcessInfo":
                return $"pid:{_general.Pid:x};triple:{Hex(Triple)};ptrsize:8;endian:little;";
            default:
                return "";
        }
    }

    private string Triple => _osAbi.Length > 0 ? "aarch64-unknown-linux-gnu" : "aarch64-unknown-none";

    private string Supported(string features)
    {
        string[] theirs = features.Split(';');
        _multiprocess = theirs.Contains("multiprocess+");
        _target.ReportsForks = theirs.Contains("fork-events+");
        _target.ReportsVforks = theirs.Contains("vfork-events+");
        _target.ReportsExecs = theirs.Contains("exec-events+");
        string ours = $"PacketSize={PacketReader.Longest:x};QStartNoAckMode+;multiprocess+;swbreak+;hwbreak+;vContSupported+;"
            + "QPassSignals+;qXfer:features:read+;qXfer:threads:read+;";
        if (_osAbi.Length > 0)
            ours += "QCatchSyscalls+;fork-events+;vfork-events+;exec-events+;qXfer:auxv:read+;qXfer:siginfo:read+;"
                + "qXfer:exec-file:read+;qXfer:libraries-svr4:read+;";
        return ours + (_target.CanReverse ? "ReverseStep+;ReverseContinue+" : "");
    }

    /// <summary>qXfer:OBJECT:read:ANNEX:OFFSET,LENGTH.</summary>
    private string Transfer(string rest)
    {
        string[] parts = rest.Split(':');
        if (parts.Length != 4 || parts[1] != "read")
            return "";
        (ulong offset, ulong length) = Pair(parts[3]);
        byte[]? whole = parts[0] switch
        {
            "features" => parts[2] == "target.xml" ? Encoding.ASCII.GetBytes(TargetDescription.Xml(_osAbi)) : null,
            "threads" => ThreadList(),
            "auxv" => _target.AuxiliaryVector(_general.Pid).ToArray(),
            "siginfo" => _target.SignalOf(_general).ToArray(),
            "exec-file" => _target.ProgramOf(parts[2].Length == 0 ? _general.Pid : (int)Number(parts[2])) is { } path
                ? Encoding.UTF8.GetBytes(path) : null,
            "libraries-svr4" => Encoding.UTF8.GetBytes(LibraryList.Xml(_target, _general)),
            _ => [],
        };
        if (whole is null)
            return "E00";
        if (offset >= (ulong)whole.Length)
            return "l";
        int n = (int)Math.Min((ulong)whole.Length - offset, Math.Min(length, PacketReader.Longest / 2));
        string part = Encoding.Latin1.GetString(whole, (int)offset, n);
        return ((int)offset + n < whole.Length ? "m" : "l") + part;
    }

    private byte[] ThreadList()
    {
        var xml = new StringBuilder("<?xml version=\"1.0\"?>\n<threads>\n");
        Span<byte> cpu = stackalloc byte[4];
        foreach (ThreadId thread in _target.Threads)
        {
            string core = _target.ReadRegister(thread, DebugTarget.CpuNumber, cpu) ? $" core=\"{BitConverter.ToUInt32(cpu)}\"" : "";
            xml.Append($"<thread id=\"{Text(thread)}\"{core} name=\"{SecurityElement.Escape(_target.Name(thread))}\"/>\n");
        }
        return Encoding.UTF8.GetBytes(xml.Append("</threads>\n").ToString());
    }

    private string Region(ulong address)
    {
        (ulong start, ulong end, string may, string name) = _target.Region(_general, address);
        string text = $"start:{start:x};size:{end - start:x};";
        return may.Length + name.Length == 0 ? text : $"{text}permissions:{may};name:{Hex(name)};";
    }

    private string Monitor(string command)
    {
        string text = _target.Monitor(_general, command.Split(' ', StringSplitOptions.RemoveEmptyEntries));
        // Consoles take what fits in a packet.
        const int most = PacketReader.Longest / 4;
        for (int at = 0; at < text.Length; at += most)
            _line.Send("O" + Hex(text.Substring(at, Math.Min(most, text.Length - at))));
        return Ok;
    }
}
