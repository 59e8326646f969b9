namespace ArmVdso.Cli;

/// <summary>What shells complete, made from the definitions of the commands: commands, options, files where an option or operand takes
/// any word.</summary>
internal static class Completions
{
    /// <summary>The shells.</summary>
    internal static (string Shell, Action<TextWriter, Command> Write)[] All { get; } =
        [("bash", Bash), ("zsh", Zsh), ("fish", Fish)];

    /// <summary>A command with what can follow it.</summary>
    private static IEnumerable<(string Path, string[] Below, Option[] Options)> Places(Command root)
    {
        var left = new Queue<(string Path, Command Command)>([("", root)]);
        while (left.TryDequeue(out (string Path, Command Command) next))
        {
            Command[] below = [.. next.Command.Subcommands.Where(c => !c.Hidden)];
            yield return (next.Path, [.. below.Select(c => c.Name)], [.. next.Command.Options.Where(o => !o.Hidden)]);
            foreach (Command command in below)
                left.Enqueue(($"{next.Path} {command.Name}".TrimStart(), command));
        }
    }

    private static string[] OptionNames(IEnumerable<Option> options) =>
        [.. options.SelectMany(CommandTopic.Names).Append("--help").Distinct()];

    private static void Bash(TextWriter output, Command root)
    {
        string commands = string.Join('|', Places(root).Where(p => p.Path.Length > 0).Select(p => $"'{p.Path}'"));
        output.Write($$"""
            # bash completion of armvdso; made by 'armvdso completion bash'
            _armvdso() {
              local current=${COMP_WORDS[COMP_CWORD]} path= word i words=
              for ((i = 1; i < COMP_CWORD; i++)); do
                word=${COMP_WORDS[i]}
                case "${path:+$path }$word" in
                  {{commands}}) path=${path:+$path }$word ;;
                  *) break ;;
                esac
              done
              case "$path" in

            """);
        foreach ((string path, string[] below, Option[] options) in Places(root))
            output.Write($"    '{path}') words='{string.Join(' ', [.. below, .. OptionNames(options)])}' ;;\n");
        output.Write("""
              esac
              if [[ $current == -* || -z $path ]]; then
                mapfile -t COMPREPLY < <(compgen -W "$words" -- "$current")
              else
                mapfile -t COMPREPLY < <(compgen -W "${words//--+([^ ])/}" -- "$current"; compgen -f -- "$current")
              fi
            }
            complete -o filenames -F _armvdso armvdso

            """);
    }

    private static void Zsh(TextWriter output, Command root)
    {
        output.Write("#compdef armvdso\n# zsh completion of armvdso; made by 'armvdso completion zsh'\n_armvdso() {\n");
        output.Write("  local path= word\n  integer i\n  for ((i = 2; i < CURRENT; i++)); do\n    word=${words[i]}\n");
        output.Write("    case \"${path:+$path }$word\" in\n");
        string commands = string.Join('|', Places(root).Where(p => p.Path.Length > 0).Select(p => $"'{p.Path}'"));
        output.Write($"      ({commands}) path=\"${{path:+$path }}$word\" ;;\n      (*) break ;;\n    esac\n  done\n  case \"$path\" in\n");
        foreach ((string path, string[] below, Option[] options) in Places(root))
        {
            output.Write($"    ('{path}')\n");
            if (below.Length > 0)
                output.Write($"      compadd -- {string.Join(' ', below)}\n");
            output.Write($"      [[ $PREFIX == -* ]] && compadd -- {string.Join(' ', OptionNames(options))} || _files\n      ;;\n");
        }
        output.Write("  esac\n}\ncompdef _armvdso armvdso\n");
    }

    private static void Fish(TextWriter output, Command root)
    {
        output.Write("# fish completion of armvdso; made by 'armvdso completion fish'\n");
        foreach ((string path, string[] below, Option[] options) in Places(root))
        {
            string[] words = path.Split(' ', StringSplitOptions.RemoveEmptyEntries);
            string seen = words.Length == 0 ? "__fish_use_subcommand" : string.Join(
                "; and ", words.Select(w => $"__fish_seen_subcommand_from {w}"));
            if (below.Length > 0 && words.Length > 0)
                seen += $"; and not __fish_seen_subcommand_from {string.Join(' ', below)}";
            foreach (string command in below)
                output.Write($"complete -c armvdso -f -n '{seen}' -a {command}\n");
            foreach (Option option in options)
                output.Write($"complete -c armvdso -n '{seen}' {Fish(option)}\n");
        }
    }

    private static string Fish(Option option)
    {
        (bool takes, bool needs) = CommandTopic.ValueOf(option);
        string names = string.Join(' ', CommandTopic.Names(option).Select(
            n => n.StartsWith("--", StringComparison.Ordinal) ? $"-l {n[2..]}" : n.Length == 2 ? $"-s {n[1..]}" : $"-o {n[1..]}"));
        string meaning = option.Description ?? "";
        meaning = meaning.Replace("\\", "\\\\", StringComparison.Ordinal).Replace("'", "\\'", StringComparison.Ordinal);
        return $"{names}{(takes && needs ? " -r" : "")} -d '{meaning}'";
    }
}
