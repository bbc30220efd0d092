/** What a shell runs to complete the words of a `varve` command: each asks `varve --complete WORDS…`. */

export const SHELLS = ["bash", "zsh", "fish"] as const;
export type Shell = (typeof SHELLS)[number];

/** Readline replaces only what follows the last of its word breaks, of which `@` and `:` are two. */
const BASH = `_varve() {
  local line="\${COMP_LINE:0:COMP_POINT}" words current before
  read -ra words <<<"$line"
  [[ $line == *[[:space:]] ]] && words+=("")
  current=\${words[-1]}
  before=\${current%"\${current##*[$COMP_WORDBREAKS]}"}
  mapfile -t COMPREPLY < <(varve --complete "\${words[@]:1}" 2>/dev/null)
  COMPREPLY=("\${COMPREPLY[@]#"$before"}")
}
complete -o bashdefault -o default -F _varve varve
`;

const ZSH = `#compdef varve
_varve() {
  local -a found
  found=("\${(@f)$(varve --complete "\${(@)words[2,CURRENT]}" 2>/dev/null)}")
  if [[ -n \${found[1]} ]]; then compadd -- "\${found[@]}"; else _files; fi
}
if [[ "\${zsh_eval_context[-1]}" == loadautofunc ]]; then _varve "$@"; else compdef _varve varve; fi
`;

const FISH = `function __varve_complete
  set -l found (varve --complete (commandline -opc)[2..] (commandline -ct) 2>/dev/null)
  if test (count $found) -gt 0
    printf '%s\\n' $found
  else
    __fish_complete_path (commandline -ct)
  end
end
complete -c varve -f -a '(__varve_complete)'
`;

export const completionScripts: Record<Shell, string> = { bash: BASH, zsh: ZSH, fish: FISH };
