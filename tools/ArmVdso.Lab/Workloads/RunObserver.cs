using ArmVdso.Lab.KernelPath;
using ArmVdso.Lab.Recording;

namespace ArmVdso.Lab.Workloads;

/// <summary>A run that was counted, recorded and taken apart at once.</summary>
/// <param name="Counts">Its system calls.</param>
/// <param name="Paths">The typical warm call of each name, by part; those that an interrupt or a switch disturbed are left out.</param>
/// <param name="Header">What the recording says of itself.</param>
public sealed record ObservedRun(WorkloadRun Counts, KernelPathResult Paths, RecordingHeader Header);

/// <summary>Makes such a run.</summary>
internal sealed class RunObserver(SessionSettings settings, IReadOnlyList<string> program, string file, Stream recording)
{
    private KernelPathSampler? _sampler;
    private RecordingHeader? _header;

    /// <summary>Recorder and recording of a session, until it ends.</summary>
    private sealed class Recorded(Session session, RunRecorder recorder, RecordingWriter writer, IDisposable? inner) : IDisposable
    {
        internal RunRecorder Recorder => recorder;

        public void Dispose()
        {
            recorder.Finish(session.Machine);
            writer.Dispose();
            inner?.Dispose();
        }
    }

    internal ObservedRun Run(SessionHooks hooks)
    {
        Recorded? recorded = null;
        SessionHooks told = hooks with
        {
            Watch = session => recorded = Begin(session, hooks.Watch?.Invoke(session)),
            Switching = (cpu, previous, next) =>
            {
                recorded?.Recorder.Switched(cpu, previous, next);
                _sampler?.Switched(cpu);
            },
            Signal = (task, info) => recorded?.Recorder.Signalled(task, info),
            Exec = task => recorded?.Recorder.Executed(task),
            Exit = (task, status) => recorded?.Recorder.Exited(task, status),
        };
        WorkloadRun counts = new Workload(settings, program[0], [.. program.Skip(1)], countVdso: true, told)
            .Run(settings, null, show: true, count: true, partly: true);
        return new ObservedRun(counts, new KernelPathResult(settings, _sampler!.TypicalCalls()), _header!);
    }

    private Recorded Begin(Session session, IDisposable? inner)
    {
        _header = RecordingHeader.Of(session.Machine, settings, booted: false, program) with
        {
            SlotFields = RunRecorder.SlotFieldsOf(session.Kernel),
        };
        var writer = new RecordingWriter(file, recording, _header);
        var recorder = new RunRecorder(session.Kernel, writer);
        _sampler = new KernelPathSampler(session.Kernel);
        session.Machine.Observer = ObserverList.Of(recorder, _sampler);
        return new Recorded(session, recorder, writer, inner);
    }
}
