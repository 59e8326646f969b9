using System.Globalization;

namespace ArmVdso.Lab.Boot;

/// <summary>A function of a vDSO as a booted kernel has it, and what it may answer: what system calls of the same kernel say before and
/// after the call.</summary>
/// <param name="Name">As <see cref="ArmVdsoLab.CheckedFunctions"/> has it.</param>
/// <param name="Symbol">As the vDSO exports it.</param>
/// <param name="Kind">What it answers.</param>
/// <param name="Wrong">What is wrong with the answers of a call; null: nothing.</param>
internal sealed record BootedFunction(string Name, string Symbol, BootedKinds Kind, Func<CallRecord, string?> Wrong)
{
    private const ulong Second = 1_000_000_000, Tick = 10_000_000, Microsecond = 1000;

    /// <summary>All that Guests/interrupted.c calls.</summary>
    internal static IReadOnlyList<BootedFunction> All { get; } =
    [
        Clock("realtime", 0), Clock("monotonic", 0), Clock("monotonic_raw", 0), Clock("realtime_coarse", Tick),
        Clock("monotonic_coarse", Tick), Clock("boottime", 0), Clock("tai", 0),
        new("gettimeofday", "__kernel_gettimeofday", BootedKinds.Clock, r => WrongTime(r, Microsecond, 0)),
        new("clock_getres", "__kernel_clock_getres", BootedKinds.Resolution, WrongResolution),
        new("getrandom", "__kernel_getrandom", BootedKinds.Random, WrongBytes),
        .. ((string[])["getpid", "gettid", "getuid", "geteuid", "getgid", "getegid", "getppid", "getpgid", "getsid"]).Select(
            n => new BootedFunction(n, "__kernel_" + n, BootedKinds.Number, r => WrongNumber(r, c => c.Result))),
        new("getcpu", "__kernel_getcpu", BootedKinds.Number, r => WrongNumber(r, c => c.Result == 0 ? c.Answer[0] : ulong.MaxValue)),
    ];

    private static BootedFunction Clock(string name, ulong tick) =>
        new("clock_gettime_" + name, "__kernel_clock_gettime", BootedKinds.Clock, r => WrongTime(r, 1, tick));

    /// <summary>An answer with the times, numbers or the like that system calls gave around it.</summary>
    private readonly record struct Judged(string Which, ulong Result, ulong[] Answer, (ulong Before, ulong After) Truth);

    private const string ThisCall = "the call", LastCall = "the next call", ChildCall = "the call in the child";

    private const string LedTo = "the call that the event led to";

    private static IEnumerable<Judged> Calls(CallRecord r)
    {
        if (r.Returned)
            yield return new(ThisCall, r.Call.Result, r.Call.Answer, r.Truth);
        if (r.Handled > 0)
            yield return new(r.Returned ? LedTo : "the new program's call", r.Inner.Result, r.Inner.Answer, r.InnerTruth);
        // It began before the child was.
        if (r.HasChild)
            yield return new(ChildCall, r.Child.Result, r.Child.Answer, (r.Truth.Before, r.ChildAfter));
        if (r.Returned)
            yield return new(LastCall, r.Again.Result, r.Again.Answer, r.Truth);
    }

    /// <summary>A clock lies between what the system call gives before and after. When it was set meanwhile, it is what it was, or what it
    /// has become.</summary>
    /// <param name="r">The calls.</param>
    /// <param name="unit">What a unit of the second word is, in ns: what system calls gave is rounded down to it.</param>
    /// <param name="tick">How far the clock moves at a time, in ns; 0: it does not move in ticks.</param>
    private static string? WrongTime(CallRecord r, ulong unit, ulong tick)
    {
        // A call that did not come back took what its successor did.
        ulong passed = (r.Returned ? r.Counter.After - r.Counter.Before : Second) + tick;
        foreach (Judged call in Calls(r))
        {
            (ulong before, ulong after) = call.Truth;
            bool set = after < before || after - before > passed + Second;
            if (call.Result != 0)
                return Text($"{call.Which} returned {(long)call.Result}");
            ulong per = Second / unit;
            if (call.Answer[1] >= per)
                return Text($"{call.Which} gave {call.Answer[1]} units of {unit} ns as part of a second");
            ulong time = call.Answer[0] * Second + call.Answer[1] * unit, first = before / unit * unit, last = after / unit * unit;
            bool right = call.Which == LastCall ? time >= last && time - last <= passed + Second
                : set ? (time >= first && time <= before + passed) || (time >= after - passed && time <= after)
                : time >= first && time <= after;
            if (right)
                continue;
            string range = set ? Text($"{before} to {before + passed} or {after - passed} to {after}") : Text($"{before} to {after}");
            return call.Which == LastCall
                ? Text($"{call.Which} gave {time} ns, the system call before it {after}")
                : Text($"{call.Which} gave {time} ns; system calls say {range}");
        }
        return null;
    }

    private static string? WrongResolution(CallRecord r)
    {
        foreach (Judged call in Calls(r))
        {
            if (call.Result != 0 || call.Answer[0] * Second + call.Answer[1] != call.Truth.Before)
            {
                string answer = Text($"{(long)call.Result} and {call.Answer[0]} s {call.Answer[1]} ns");
                return Text($"{call.Which} returned {answer}; the system call says {call.Truth.Before} ns");
            }
        }
        return null;
    }

    /// <summary>No eight bytes come twice, as random ones do not in the age of the universe. A child has those that were there when it was
    /// made.</summary>
    private static string? WrongBytes(CallRecord r)
    {
        const ulong length = 32;
        var seen = new HashSet<ulong>(r.Earlier);
        foreach (Judged call in Calls(r))
        {
            if (call.Result != length)
                return Text($"{call.Which} returned {(long)call.Result} in place of {length}");
            for (int i = 0; i < call.Answer.Length; i++)
            {
                ulong word = call.Answer[i];
                bool shared = call.Which == ChildCall && word == r.Written[i];
                if (word == 0 || !(seen.Add(word) || shared))
                {
                    string which = word == 0 ? "nobody wrote" : "were given out before";
                    return Text($"{call.Which} gave the bytes 0x{word:x16}, which {which}");
                }
            }
        }
        return null;
    }

    /// <summary>A number is what it was before the call or what it is after it.</summary>
    private static string? WrongNumber(CallRecord r, Func<(ulong Result, ulong[] Answer), ulong> of)
    {
        foreach (Judged call in Calls(r))
        {
            (uint before, uint after) = ((uint)call.Truth.Before, (uint)call.Truth.After);
            uint answer = (uint)of((call.Result, call.Answer));
            if (answer != after && (call.Which == LastCall || answer != before))
                return Text($"{call.Which} answered {(int)answer}; system calls say {(int)before} before and {(int)after} after");
        }
        return null;
    }

    private static string Text(FormattableString text) => text.ToString(CultureInfo.InvariantCulture);
}
