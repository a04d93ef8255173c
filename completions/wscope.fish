# fish completion of wscope, which proposes the words itself: `wscope completions fish -- WORD...`.

function __wscope_proposals
    set -l typed (commandline -ct)
    set -l words (commandline -opc)
    set -l proposals ($words[1] completions fish -- $words "$typed" 2>/dev/null)
    if test "$proposals" = "<files>"
        set -l option (string match -r -- '^--[^=]*=' "$typed")
        printf "$option%s\n" (__fish_complete_path (string replace -- "$option" '' "$typed"))
    else if set -q proposals[1]
        printf '%s\n' $proposals
    end
end

complete -c wscope -f -k -a '(__wscope_proposals)'
