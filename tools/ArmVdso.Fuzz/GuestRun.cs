using System.Text;
using ArmVdso.Kernel;
using ArmVdso.Kernel.Abi;
using ArmVdso.Kernel.Signals;
using ArmVdso.Kernel.Tasks;
using ArmVdso.Lab.Crash;

namespace ArmVdso.Fuzz;

/// <summary>One run of one program in this process, whose end is judged.</summary>
internal sealed class GuestRun
{
    private readonly SignsOfLife _output;
    private readonly HangWatch _watch;
    private readonly bool _mayWait;
    private readonly List<string> _mistakes = [];
    private Session? _session;

    /// <summary>A run to come.</summary>
    /// <param name="watch">Told of its signs of life.</param>
    /// <param name="mayWait">Whether the program may wait for ever, because it was changed itself.</param>
    internal GuestRun(HangWatch watch, bool mayWait)
    {
        (_watch, _mayWait) = (watch, mayWait);
        _output = new SignsOfLife(watch);
    }

    /// <summary>Its status; null: it did not end by itself.</summary>
    internal int? Status { get; private set; }

    /// <summary>What it wrote.</summary>
    internal string Output => Encoding.Latin1.GetString(_output.ToArray());

    /// <summary>Runs it.</summary>
    /// <param name="settings">Settings.</param>
    /// <param name="program">Its path.</param>
    /// <param name="arguments">Its arguments.</param>
    /// <returns>"refused" (with a message, before it began), "limited" (by the settings), "ended" with status 0, or "failed".</returns>
    /// <exception cref="FindingException">A mistake of ours was seen, or a hang.</exception>
    internal string Run(SessionSettings settings, string program, params string[] arguments)
    {
        _watch.Begin(() => _session?.End(Signal.SIGTERM), () => _session is { } running
            ? running.Kernel.Machine.Cpus.Aggregate(0UL, (sum, cpu) => sum + cpu.Instructions) : 0);
        var hooks = new SessionHooks { Output = _output, Log = Hear, Crash = Record };
        string outcome;
        try
        {
            using var session = _session = new Session(settings, program, arguments, hooks);
            Status = session.Run();
            outcome = Status == 0 ? "ended" : "failed";
        }
        catch (LabException e) when (e.Fault != LabFault.Failed)
        {
            bool waits = e.Message.StartsWith("every task", StringComparison.Ordinal);
            if (waits && !_mayWait)
                throw new FindingException(e.Message, e);
            outcome = e.Fault == LabFault.LimitReached ? "limited" : "refused";
        }
        catch (Exception e) when (e is not FindingException)
        {
            throw new FindingException($"{e.GetType().Name}: {e.Message}\n{e.StackTrace}", e);
        }
        finally
        {
            _session = null;
        }
        if (_watch.Hangs)
            throw new FindingException("a hang: no sign of life");
        if (_mistakes.Count > 0)
            throw new FindingException(string.Join('\n', _mistakes.Distinct().Take(5)));
        return outcome;
    }

    private void Hear(string line)
    {
        if (line.Contains("met a mistake in armvdso", StringComparison.Ordinal))
            _mistakes.Add(line);
    }

    /// <summary>What a person would be shown of a crash is made of the program's own symbols and tables.</summary>
    private void Record(KernelTask task, SignalInfo info, string? core)
    {
        if (CrashRecorder.IsFault(info.Number) && _session is { } session && ReferenceEquals(task.Group, session.Kernel.Tasks.Init))
            CrashRecorder.Record(session.Kernel, task, info, core);
    }

    /// <summary>The guest's output: each piece says that it lives.</summary>
    private sealed class SignsOfLife(HangWatch watch) : MemoryStream
    {
        // A write of a span comes here, too.
        public override void Write(byte[] buffer, int offset, int count)
        {
            watch.Alive();
            base.Write(buffer, offset, count);
        }

        public override void WriteByte(byte value)
        {
            watch.Alive();
            base.WriteByte(value);
        }
    }
}
