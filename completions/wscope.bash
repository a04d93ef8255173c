# bash completion of wscope, which proposes the words itself: `wscope completions bash -- WORD...`.

_wscope() {
    local line=${COMP_LINE:0:COMP_POINT} word words=() last=-1 blanks
    # bash splits words at = : and @ too (COMP_WORDBREAKS); only blanks divide those of wscope.
    for word in "${COMP_WORDS[@]:0:COMP_CWORD}" ""; do
        blanks=${line%%[![:blank:]]*}
        if [[ -n $blanks || $last == -1 ]]; then
            last=$((last + 1))
            words[last]=
        fi
        line=${line:${#blanks}}
        if [[ -n $word ]]; then words[last]+=$word; else words[last]+=$line; fi
        line=${line#"$word"}
    done
    local typed=${words[last]}
    COMPREPLY=()
    while IFS= read -r word; do
        if [[ $word == "<files>" ]]; then
            compopt -o filenames
            while IFS= read -r word; do COMPREPLY+=("$word"); done < <(compgen -f -- "$2")
        elif [[ $typed == *"$2" ]]; then
            # Only what follows the last = : or @ is replaced.
            COMPREPLY+=("${word:${#typed}-${#2}}")
            if [[ $word == *[=/] ]]; then compopt -o nospace; fi
        fi
    done < <("${1/#\~\//$HOME/}" completions bash -- "${words[@]}" 2>/dev/null)
}

complete -F _wscope wscope
