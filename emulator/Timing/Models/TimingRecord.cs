using System.Diagnostics.CodeAnalysis;
using System.Reflection;

namespace ArmVdso.Emulator.Timing.Models;

/// <summary>Records of a model file, whose properties are null where a less specific entry counts.</summary>
internal static class TimingRecord
{
    /// <summary>A record with the properties that <paramref name="more"/> sets, and those of <paramref name="less"/> elsewhere.</summary>
    internal static T Combine<[DynamicallyAccessedMembers(DynamicallyAccessedMemberTypes.PublicProperties)] T>(T less, T more)
        where T : class, new()
    {
        var result = new T();
        foreach (PropertyInfo property in typeof(T).GetProperties())
            property.SetValue(result, property.GetValue(more) ?? property.GetValue(less));
        return result;
    }
}
