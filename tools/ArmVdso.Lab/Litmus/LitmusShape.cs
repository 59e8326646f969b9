using System.Globalization;
using System.Text;

namespace ArmVdso.Lab.Litmus;

/// <summary>Litmus tests that their name says: a shape, and for each thread of two accesses what is between them, as diy7 names them.
/// "MP+dmb.st+addr" is message passing with a DMB ST between the stores and an address dependency between the loads; "popl" is program
/// order from a plain access to a release, "poap" from an acquire to a plain one (q: acquirePC). One name with an s stands for all
/// threads.</summary>
/// <param name="Name">MP, SB and so on.</param>
/// <param name="Threads">The accesses of each thread: W or R, the location, and what is stored.</param>
/// <param name="Condition">The outcome in question. A thread's first load is to W1, its second access loads to W3.</param>
internal sealed record LitmusShape(string Name, string[] Threads, string Condition)
{
    private static readonly LitmusShape[] All =
    [
        new("MP", ["Wx1 Wy1", "Ry Rx"], "1:w1=1 & 1:w3=0"),
        new("LB", ["Rx Wy1", "Ry Wx1"], "0:w1=1 & 1:w1=1"),
        new("SB", ["Wx1 Ry", "Wy1 Rx"], "0:w3=0 & 1:w3=0"),
        new("S", ["Wx2 Wy1", "Ry Wx1"], "1:w1=1 & x=2"),
        new("R", ["Wx1 Wy1", "Wy2 Rx"], "1:w3=0 & y=2"),
        new("2+2W", ["Wx2 Wy1", "Wy2 Wx1"], "x=2 & y=2"),
        new("WRC", ["Wx1", "Rx Wy1", "Ry Rx"], "1:w1=1 & 2:w1=1 & 2:w3=0"),
        new("WWC", ["Wx2", "Rx Wy1", "Ry Wx1"], "1:w1=2 & 2:w1=1 & x=2"),
        new("RWC", ["Wx1", "Rx Ry", "Wy1 Rx"], "1:w1=1 & 1:w3=0 & 2:w3=0"),
        new("W+RWC", ["Wx1 Wy1", "Ry Rz", "Wz1 Rx"], "1:w1=1 & 1:w3=0 & 2:w3=0"),
        new("ISA2", ["Wx1 Wy1", "Ry Wz1", "Rz Rx"], "1:w1=1 & 2:w1=1 & 2:w3=0"),
        new("Z6.3", ["Wx1 Wy1", "Wy2 Wz1", "Rz Rx"], "y=2 & 2:w1=1 & 2:w3=0"),
        new("IRIW", ["Wx1", "Rx Ry", "Wy1", "Ry Rx"], "1:w1=1 & 1:w3=0 & 3:w1=1 & 3:w3=0"),
    ];

    /// <summary>Names that catalogues use beside those of diy7.</summary>
    private static readonly Dictionary<string, string> Aliases = new()
    {
        ["dmb"] = "dmb.sy",
        ["dsb"] = "dsb.sy",
        ["rel"] = "popl",
        ["acq"] = "poap",
        ["acqpc"] = "poqp",
        ["rel-acq"] = "pola",
        ["rel-acqpc"] = "polq",
        ["ctrl-[isb]"] = "ctrlisb",
    };

    private static readonly string[] Edges =
    [
        "po", "dmb.sy", "dmb.ld", "dmb.st", "dsb.sy", "dsb.ld", "dsb.st", "isb", "addr", "data", "ctrl", "ctrlisb", "addrcsel",
        "datacsel", "ctrlcsel",
    ];

    /// <summary>The test of a name.</summary>
    /// <returns>Programs and condition; null: the name has another form.</returns>
    internal static (string[] Programs, string Condition)? Make(string name)
    {
        foreach (LitmusShape shape in All.Where(s => name == s.Name || name.StartsWith(s.Name + "+", StringComparison.Ordinal)))
        {
            string[] links = name.Length == shape.Name.Length ? ["pos"] : name[(shape.Name.Length + 1)..].Split('+');
            int[] linked = [.. Enumerable.Range(0, shape.Threads.Length).Where(t => shape.Threads[t].Contains(' '))];
            if (links.Length == 1 && linked.Length > 1 && links[0].EndsWith('s') && Edge(links[0][..^1]) is not null)
                links = [.. linked.Select(_ => links[0][..^1])];
            if (links.Length != linked.Length || links.Any(l => Edge(l) is null))
                continue;
            string[] programs = [
                .. shape.Threads.Select(
                    (t, i) => Program(t, Edge(Array.IndexOf(linked, i) is var at and >= 0 ? links[at] : "po")!.Value))];
            return (programs, shape.Condition);
        }
        return null;
    }

    /// <summary>What is between two accesses, and what kinds the two are: p plain, a acquire, q acquirePC, l release.</summary>
    private static (string Link, char First, char Second)? Edge(string name)
    {
        name = Aliases.GetValueOrDefault(name, name);
        if (Edges.Contains(name))
            return (name, 'p', 'p');
        return name.Length > 2 && Edges.Contains(name[..^2]) && "paql".Contains(name[^2]) && "paql".Contains(name[^1])
            ? (name[..^2], name[^2], name[^1])
            : null;
    }

    private static string Program(string thread, (string Link, char First, char Second) edge)
    {
        string[] accesses = thread.Split(' ');
        var text = new StringBuilder(Access(accesses[0], edge.First, 1, ""));
        if (accesses.Length == 1)
            return text.ToString();
        if (edge.Link.EndsWith("csel", StringComparison.Ordinal))
            text.Append("; cmp w1, #1; csel w2, w5, w6, eq");
        string link = edge.Link.Replace("csel", "", StringComparison.Ordinal);
        bool csel = link != edge.Link;
        string dependent = csel ? "w2" : "w1";
        text.Append(link switch
        {
            "po" => "",
            "addr" or "data" => csel ? "" : "; eor w2, w1, w1",
            "ctrl" => $"; cbnz {dependent}, 1f; 1:",
            "ctrlisb" => $"; cbnz {dependent}, 1f; 1: isb",
            _ => "; " + link.Replace('.', ' '),
        });
        text.Append("; ").Append(Access(accesses[1], edge.Second, 3, link is "addr" or "data" ? link : ""));
        return text.ToString();
    }

    /// <summary>One access; a dependency comes in W2, which is zero.</summary>
    private static string Access(string access, char kind, int register, string dependency)
    {
        string at = access[1].ToString(), value = access[2..], prepare = "";
        string address = $"[{at}]";
        if (dependency == "addr" && kind == 'p')
        {
            address = $"[{at}, w2, sxtw]";
        }
        else if (dependency == "addr")
        {
            // Ordered accesses have no register offset.
            prepare = $"add x7, {LitmusTest.RegisterOf(at)}, w2, sxtw; ";
            address = "[x7]";
        }
        if (access[0] == 'R')
            return prepare + $"{(kind == 'a' ? "ldar" : kind == 'q' ? "ldapr" : "ldr")} w{register}, {address}";
        prepare += dependency == "data" ? $"add w4, w2, #{value}; " : $"mov w4, #{value}; ";
        return prepare + $"{(kind == 'l' ? "stlr" : "str")} w4, {address}";
    }

    /// <summary>The names of the shapes.</summary>
    internal static string Names { get; } = string.Join(' ', All.Select(s => s.Name).Order(StringComparer.Ordinal));

    public override string ToString() => string.Create(CultureInfo.InvariantCulture, $"{Name}: {string.Join(" | ", Threads)}");
}
