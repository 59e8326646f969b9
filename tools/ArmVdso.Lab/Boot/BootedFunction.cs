using System.Globalization;

namespace ArmVdso.Lab.Boot;

/// <summary>A function of a vDSO as a booted kernel has it, and what it may answer: what system calls of the same kernel say before and
/// after the call.</summary>
/// <param name="Name">As <see cref="ArmVdsoLab.CheckedFunctions"/> has it.</param>
/// <param name="Symbol">As the vDSO exports it.</param>
/// <param name="Wrong">What is wrong with the answers of a call; null: nothing.</param>
internal sealed record BootedFunction(string Name, string Symbol, Func<CallRecord, string?> Wrong)
{
    private const ulong Second = 1_000_000_000, Tick = 10_000_000, Microsecond = 1000;

    /// <summary>All that Guests/interrupted.c calls.</summary>
    internal static IReadOnlyList<BootedFunction> All { get; } =
    [
        Clock("realtime", 0), Clock("monotonic", 0), Clock("monotonic_raw", 0), Clock("realtime_coarse", Tick),
        Clock("monotonic_coarse", Tick), Clock("boottime", 0), Clock("tai", 0),
        new("gettimeofday", "__kernel_gettimeofday", r => WrongTime(r, Microsecond, 0)),
        new("clock_getres", "__kernel_clock_getres", WrongResolution),
        new("getrandom", "__kernel_getrandom", WrongBytes),
        .. ((string[])["getpid", "gettid", "getuid", "geteuid", "getgid", "getegid", "getppid"]).Select(
            n => new BootedFunction(n, "__kernel_" + n, r => WrongNumber(r, c => c.Result))),
        new("getcpu", "__kernel_getcpu", r => WrongNumber(r, c => c.Result == 0 ? c.Answer[0] : ulong.MaxValue)),
    ];

    private static BootedFunction Clock(string name, ulong tick) =>
        new("clock_gettime_" + name, "__kernel_clock_gettime", r => WrongTime(r, 1, tick));

    /// <summary>A clock lies between what the system call gives before and after. When it was set meanwhile, it is what it was, or what it
    /// has become.</summary>
    /// <param name="r">The calls.</param>
    /// <param name="unit">What a unit of the second word is, in ns: what system calls gave is rounded down to it.</param>
    /// <param name="tick">How far the clock moves at a time, in ns; 0: it does not move in ticks.</param>
    private static string? WrongTime(CallRecord r, ulong unit, ulong tick)
    {
        (ulong before, ulong after) = r.Truth;
        ulong passed = r.Monotonic.After - r.Monotonic.Before + tick;
        bool set = after < before || after - before > passed + Second;
        string Range() => set
            ? Text($"{before} to {before + passed} or {after - passed} to {after}") : Text($"{before} to {after}");
        foreach ((string which, (ulong result, ulong[] answer)) in Calls(r))
        {
            if (result != 0)
                return Text($"{which} returned {(long)result}");
            ulong per = Second / unit;
            if (answer[1] >= per)
                return Text($"{which} gave {answer[1]} units of {unit} ns as part of a second");
            ulong time = answer[0] * Second + answer[1] * unit, first = before / unit * unit;
            bool right = which == LastCall ? time >= after / unit * unit && time - after / unit * unit <= passed + Second
                : set ? (time >= first && time <= before + passed) || (time >= after - passed && time <= after)
                : time >= first && time <= after;
            if (!right && which == LastCall)
                return Text($"{which} gave {time} ns, the system call before it {after}");
            if (!right)
                return Text($"{which} gave {time} ns; system calls say {Range()}");
        }
        return null;
    }

    private const string LastCall = "the next call";

    private static IEnumerable<(string Which, (ulong Result, ulong[] Answer))> Calls(CallRecord r)
    {
        yield return ("the call", r.Call);
        if (r.Handled > 0)
            yield return ("the handler's call", r.Inner);
        yield return (LastCall, r.Again);
    }

    private static string? WrongResolution(CallRecord r)
    {
        foreach ((string which, (ulong result, ulong[] answer)) in Calls(r))
        {
            if (result != 0 || answer[0] * Second + answer[1] != r.Truth.Before)
                return Text($"{which} returned {(long)result} and {answer[0]} s {answer[1]} ns; the system call says {r.Truth.Before} ns");
        }
        return null;
    }

    /// <summary>No eight bytes come twice, as random ones do not in the age of the universe.</summary>
    private static string? WrongBytes(CallRecord r)
    {
        const ulong length = 32;
        var seen = new HashSet<ulong>(r.Earlier);
        foreach ((string which, (ulong result, ulong[] answer)) in Calls(r))
        {
            if (result != length)
                return Text($"{which} returned {(long)result} in place of {length}");
            foreach (ulong word in answer)
            {
                if (word == 0 || !seen.Add(word))
                    return Text($"{which} gave the bytes 0x{word:x16}, which {(word == 0 ? "nobody wrote" : "were given out before")}");
            }
        }
        return null;
    }

    /// <summary>A number is what it was before the call or what it is after it.</summary>
    private static string? WrongNumber(CallRecord r, Func<(ulong Result, ulong[] Answer), ulong> of)
    {
        (uint before, uint after) = ((uint)r.Truth.Before, (uint)r.Truth.After);
        foreach ((string which, (ulong, ulong[]) call) in Calls(r))
        {
            uint answer = (uint)of(call);
            if (answer != after && (which == LastCall || answer != before))
                return Text($"{which} answered {(int)answer}; system calls say {(int)before} before and {(int)after} after");
        }
        return null;
    }

    private static string Text(FormattableString text) => text.ToString(CultureInfo.InvariantCulture);
}
