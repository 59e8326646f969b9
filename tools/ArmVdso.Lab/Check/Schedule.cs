using System.Globalization;

namespace ArmVdso.Lab.Check;

/// <summary>One event of a schedule.</summary>
/// <param name="Event">Name of the event.</param>
/// <param name="Part">For an update that is made store by store: how many of its stores are visible then; -1: all at once.</param>
/// <param name="Boundary">The event happens before this instruction of the call (0: before the first).</param>
internal readonly record struct ScheduledEvent(string Event, int Part, int Boundary)
{
    public override string ToString() => Part < 0 ? $"{Event}@{Boundary}" : $"{Event}:{Part}@{Boundary}";
}

/// <summary>An interleaving: which events happen at which instruction boundaries of one call. Its text is the ID that
/// --replay takes: DESIGN/FUNCTION/EVENT[:STORES]@BOUNDARY[+...], or DESIGN/FUNCTION/EVENT@BOUNDARY/reorder:VERSIONS.</summary>
internal sealed record Schedule(string Design, string Function, IReadOnlyList<ScheduledEvent> Events)
{
    /// <summary>For a reordering: the version that each load from the data page sees; null: loads in program order.</summary>
    internal IReadOnlyList<int>? Versions { get; init; }

    public override string ToString() =>
        $"{Design}/{Function}/{string.Join('+', Events)}" + (Versions is null ? "" : $"/reorder:{string.Join('.', Versions)}");

    /// <summary>Reads an ID.</summary>
    /// <param name="id">The ID.</param>
    /// <param name="known">Names of events; null: those of <see cref="CheckEvent"/>.</param>
    /// <exception cref="LabException">It is none.</exception>
    internal static Schedule Parse(string id, IEnumerable<string>? known = null)
    {
        string[] names = [.. known ?? CheckEvent.All.Select(e => e.Name)];
        string[] parts = id.Split('/');
        // A design may be a path: what follows it has no slash.
        bool reorder = parts.Length > 3 && parts[^1].StartsWith("reorder:", StringComparison.Ordinal);
        int last = reorder ? parts.Length - 2 : parts.Length - 1;
        if (last < 2)
            throw Bad(id);
        var events = new List<ScheduledEvent>();
        foreach (string text in parts[last].Split('+', StringSplitOptions.RemoveEmptyEntries))
        {
            int at = text.LastIndexOf('@');
            if (at <= 0 || !int.TryParse(text[(at + 1)..], NumberStyles.None, CultureInfo.InvariantCulture, out int boundary))
                throw Bad(id);
            string name = text[..at];
            int part = -1, colon = name.IndexOf(':');
            if (colon >= 0)
            {
                if (!int.TryParse(name[(colon + 1)..], NumberStyles.None, CultureInfo.InvariantCulture, out part))
                    throw Bad(id);
                name = name[..colon];
            }
            if (!names.Contains(name))
                throw new LabException($"replay: there is no event '{name}'; known: {string.Join(' ', names)}", LabFault.Input);
            events.Add(new ScheduledEvent(name, part, boundary));
        }
        List<int>? versions = null;
        if (reorder)
        {
            versions = [];
            foreach (string text in parts[^1]["reorder:".Length..].Split('.', StringSplitOptions.RemoveEmptyEntries))
                versions.Add(
                    int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out int version) ? version : throw Bad(id));
        }
        return new Schedule(string.Join('/', parts[..(last - 1)]), parts[last - 1], events) { Versions = versions };
    }

    private static LabException Bad(string id) =>
        new($"replay: '{id}' is not DESIGN/FUNCTION/EVENT@BOUNDARY[+EVENT@BOUNDARY...]", LabFault.Input);
}
