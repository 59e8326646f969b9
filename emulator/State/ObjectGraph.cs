using System.Collections.Concurrent;
using System.Reflection;
using System.Runtime.ConstrainedExecution;

namespace ArmVdso.Emulator.State;

/// <summary>The contents of all objects that some objects refer to, directly or not, so that they can be put back later: into the same
/// objects, whatever has been made of them since. Objects that were made since are then nobody's. What is outside is neither copied nor
/// looked into: it stays as it is.</summary>
internal sealed partial class ObjectGraph
{
    private static readonly ConcurrentDictionary<Type, Layout> s_layouts = [];
    private readonly Dictionary<Type, bool> _skipped = [];
    private readonly Predicate<Type> _outside;
    private readonly List<(object Original, object Copy)> _copies = [];

    /// <summary>Bytes of fields, or of an element, and where in them references are.</summary>
    private sealed record Layout(int Size, int[] References);

    /// <summary>Whether objects are laid out as this reads them. It tries it on some.</summary>
    internal static bool IsSupported { get; } = Try();

    private ObjectGraph(Predicate<Type> outside) => _outside = outside;

    /// <summary>Objects whose contents are kept.</summary>
    internal int Count => _copies.Count;

    /// <summary>Keeps the contents.</summary>
    /// <param name="roots">The objects to begin with.</param>
    /// <param name="outside">Types whose objects are outside.</param>
    internal static ObjectGraph Take(ReadOnlySpan<object> roots, Predicate<Type> outside)
    {
        var graph = new ObjectGraph(outside);
        var seen = new HashSet<object>(ReferenceEqualityComparer.Instance);
        var found = new Stack<object>();
        void Find(object? value)
        {
            if (value is not null && seen.Add(value) && !graph.Skips(value.GetType()))
                found.Push(value);
        }

        foreach (object root in roots)
            Find(root);
        while (found.TryPop(out object? value))
        {
            if (value is Delegate function)
            {
                // It never changes; what it is bound to may.
                foreach (Delegate part in function.HasSingleTarget ? [function] : function.GetInvocationList())
                    Find(part.Target);
                continue;
            }
            object copy = Clone(value);
            GC.SuppressFinalize(copy);
            graph._copies.Add((value, copy));
            Visit(value, Find);
        }
        return graph;
    }

    /// <summary>Puts the contents back.</summary>
    internal void Restore()
    {
        foreach ((object original, object copy) in _copies)
        {
            if (original is Array array)
                Array.Copy((Array)copy, array, array.Length);
            else
                CopyFields(copy, original, LayoutOf(original));
        }
    }

    private static void Visit(object value, Action<object?> find)
    {
        Layout layout = LayoutOf(value);
        if (layout.References.Length == 0)
            return;
        if (value is object?[] references)
        {
            foreach (object? reference in references)
                find(reference);
        }
        else if (value is Array array)
        {
            for (int i = 0; i < array.Length; i++)
            {
                foreach (int at in layout.References)
                    find(Reference(ref Elements(array), i * layout.Size + at));
            }
        }
        else
        {
            foreach (int at in layout.References)
                find(Reference(ref Fields(value), at));
        }
    }

    private static Layout LayoutOf(object value) => s_layouts.GetOrAdd(value.GetType(), static (_, v) => Read(v), value);

    // Beside what never changes, what stands for something of the host.
    private bool Skips(Type type)
    {
        if (!_skipped.TryGetValue(type, out bool skipped))
        {
            _skipped[type] = skipped = type == typeof(string) || typeof(MemberInfo).IsAssignableFrom(type)
                || typeof(Stream).IsAssignableFrom(type) || typeof(CriticalFinalizerObject).IsAssignableFrom(type) || _outside(type);
        }
        return skipped;
    }

    private class Probe
    {
        public object? A;
        public long B;
        public object? C;
        public (int Number, object? Object, byte More)[] D = [];
        public object?[] E = [];
    }

    private sealed class LongerProbe : Probe
    {
        public byte F;
        public object? G;
    }

    private static bool Try()
    {
        if (!Environment.Is64BitProcess)
            return false;
        object a = new Probe(), c = new(), g = new(), d = new();
        var probe = new LongerProbe { A = a, B = 1, C = c, D = [(1, null, 2), (3, d, 4)], E = [c, g], F = 5, G = g };
        ObjectGraph graph = Take([probe], _ => false);
        (object?[] e, var pairs) = (probe.E, probe.D);
        (probe.A, probe.B, probe.C, probe.D, probe.E, probe.F, probe.G) = (null, 2, a, [], [], 6, c);
        pairs[1] = default;
        e[0] = null;
        ((Probe)a).B = 7;
        graph.Restore();
        return ReferenceEquals(probe.A, a) && probe.B == 1 && ReferenceEquals(probe.C, c) && ReferenceEquals(probe.G, g) && probe.F == 5
            && ReferenceEquals(probe.D, pairs) && pairs[1] == (3, d, 4) && ReferenceEquals(probe.E, e) && ReferenceEquals(e[0], c)
            && ((Probe)a).B == 0 && graph._copies.Exists(p => ReferenceEquals(p.Original, d));
    }
}
