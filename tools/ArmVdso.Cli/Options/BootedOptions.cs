using ArmVdso.Lab.Boot;

namespace ArmVdso.Cli;

/// <summary>A kernel that is booted in place of the kernel model.</summary>
internal sealed class BootedOptions
{
    private readonly Option<string?> _image = new("--kernel-image")
    {
        Description = "boots this kernel and examines its own vDSO: an arm64 Image, plain, compressed by gzip, or in EFI zboot form",
        HelpName = "FILE",
    };

    private readonly Option<string?> _initial = new("--initrd")
    {
        Description = "with --kernel-image: initial files (cpio archives) beside ours",
        HelpName = "FILE",
    };

    private readonly Option<string> _append = new("--append")
    {
        Description = "with --kernel-image: the kernel's command line, before what our guest needs",
        HelpName = "TEXT",
        DefaultValueFactory = _ => "",
    };

    /// <summary>The options.</summary>
    internal IReadOnlyList<Option> Options => [_image, _initial, _append];

    /// <summary>When other options mean nothing.</summary>
    internal string With => $"with {_image.Name}";

    /// <summary>The kernel; null: none is named.</summary>
    /// <exception cref="UserError">One of the other options is given without it.</exception>
    internal BootFiles? Read(CommandInput input)
    {
        string? image = input.Value(_image), initial = input.Value(_initial), append = input.Text(_append);
        if (string.IsNullOrEmpty(image))
        {
            input.Refuse($"without {_image.Name}", _initial, _append);
            return null;
        }
        return new BootFiles { Kernel = image, InitialFiles = initial, Arguments = append };
    }
}
