# Print an optspec for argparse to handle cmd's options that are independent of any subcommand.
function __fish_wscope_global_optspecs
    string join \n c/connect= H/header= s/subprotocol= o/origin= handshake-timeout= connect-timeout= 4/ipv4 6/ipv6 host= http-header-order= path-as-is k/insecure cacert= proxy= proxy-user= noproxy= resolve= connect-to= interface= local-port= unix-socket= capath= cert= key= pass-env= pass-file= tls-min= tls-max= alpn= sni= no-sni pinned-sha256= tls-keylog= no-compress server-no-context-takeover client-no-context-takeover server-max-window-bits= client-max-window-bits= input= output= b/binary x/execute= echo w/linger= exit-after= until= max-time= close-timeout= ping-interval= pong-timeout= no-pong lenient fault= list-faults diagnose u/user= bearer= netrc netrc-file= cookie= cookie-jar= L/location location-trusted location-downgrade max-redirs= retry= retry-delay= reconnect from-curl= dry-run curl write-out= timing config= no-config script= no-commands no-history log= view= timestamps= commands exit-on-close max-message= max-inflated= max-memory= v/verbose q/quiet pretty= color= show-secrets redact= h/help V/version
end

function __fish_wscope_needs_command
    # Figure out if the current invocation already has a command.
    set -l cmd (commandline -opc)
    set -e cmd[1]
    argparse -s (__fish_wscope_global_optspecs) -- $cmd 2>/dev/null
    or return
    if set -q argv[1]
        # Also print the command, so this can be used to figure out what it is.
        echo $argv[1]
        return 1
    end
    return 0
end

function __fish_wscope_using_subcommand
    set -l cmd (__fish_wscope_needs_command)
    test -z "$cmd"
    and return 1
    contains -- $cmd[1] $argv
end

complete -c wscope -n "__fish_wscope_needs_command" -s c -l connect -d 'Same as URL, for those used to wscat' -r
complete -c wscope -n "__fish_wscope_needs_command" -s H -l header -d 'Add a header, or replace a default one of the same name; may be repeated' -r
complete -c wscope -n "__fish_wscope_needs_command" -s s -l subprotocol -d 'Offer a subprotocol; may be repeated, best first' -r
complete -c wscope -n "__fish_wscope_needs_command" -s o -l origin -d 'Send an Origin header, as a browser does' -r
complete -c wscope -n "__fish_wscope_needs_command" -l handshake-timeout -d 'Wait at most SECS for TLS and the server\'s response' -r
complete -c wscope -n "__fish_wscope_needs_command" -l connect-timeout -d 'Wait at most SECS for the name and a TCP connection' -r
complete -c wscope -n "__fish_wscope_needs_command" -l host -d 'Send this Host header instead of the URL\'s; see also --sni and --connect-to' -r
complete -c wscope -n "__fish_wscope_needs_command" -l http-header-order -d 'Send headers in this order: names parted by commas, or `given` for the order of -H' -r
complete -c wscope -n "__fish_wscope_needs_command" -l cacert -d 'Trust the certificates in a PEM file too' -r -F
complete -c wscope -n "__fish_wscope_needs_command" -l proxy -d 'Connect through a proxy: [http|https|socks5|socks5h|socks4a://]HOST[:PORT]' -r
complete -c wscope -n "__fish_wscope_needs_command" -l proxy-user -d 'The user and password for the proxy' -r
complete -c wscope -n "__fish_wscope_needs_command" -l noproxy -d 'Hosts that are reached without a proxy, instead of those in no_proxy' -r
complete -c wscope -n "__fish_wscope_needs_command" -l resolve -d 'Connect to these addresses instead of looking the name up; may be repeated' -r
complete -c wscope -n "__fish_wscope_needs_command" -l connect-to -d 'Connect to another host and port, but ask for the URL\'s; may be repeated' -r
complete -c wscope -n "__fish_wscope_needs_command" -l interface -d 'Leave from an address of this machine, or from a network interface' -r
complete -c wscope -n "__fish_wscope_needs_command" -l local-port -d 'Leave from this port, or the first free one of a range' -r
complete -c wscope -n "__fish_wscope_needs_command" -l unix-socket -d 'Connect to a Unix socket instead of the URL\'s host' -r -F
complete -c wscope -n "__fish_wscope_needs_command" -l capath -d 'Trust the certificates in all PEM files of a folder too' -r -F
complete -c wscope -n "__fish_wscope_needs_command" -l cert -d 'Show this certificate to a server that asks for one: PEM, or PKCS#12 with its key' -r -F
complete -c wscope -n "__fish_wscope_needs_command" -l key -d 'The key of the certificate, in PEM, if it is not in the same file' -r -F
complete -c wscope -n "__fish_wscope_needs_command" -l pass-env -d 'Take the key\'s passphrase from an environment variable [default: WSCOPE_PASSPHRASE]' -r
complete -c wscope -n "__fish_wscope_needs_command" -l pass-file -d 'Read the key\'s passphrase from the first line of FILE' -r -F
complete -c wscope -n "__fish_wscope_needs_command" -l tls-min -d 'The oldest TLS version to speak: 1.0, 1.1, 1.2 or 1.3 [default: 1.2]' -r
complete -c wscope -n "__fish_wscope_needs_command" -l tls-max -d 'The newest TLS version to speak' -r
complete -c wscope -n "__fish_wscope_needs_command" -l alpn -d 'Offer these protocols by ALPN, best first; an empty list offers none' -r
complete -c wscope -n "__fish_wscope_needs_command" -l sni -d 'Ask TLS for this name, and have the certificate prove it, instead of the URL\'s host' -r
complete -c wscope -n "__fish_wscope_needs_command" -l pinned-sha256 -d 'Accept only a server whose public key has this SHA-256 hash; may be repeated' -r
complete -c wscope -n "__fish_wscope_needs_command" -l tls-keylog -d 'Append the secrets of TLS to FILE, so that Wireshark can read along (Linux)' -r -F
complete -c wscope -n "__fish_wscope_needs_command" -l server-max-window-bits -d 'Ask the server to compress with a window of 2^BITS bytes, 8 to 15' -r
complete -c wscope -n "__fish_wscope_needs_command" -l client-max-window-bits -d 'Hint that this side will use a window of 2^BITS bytes, 8 to 15' -r
complete -c wscope -n "__fish_wscope_needs_command" -l input -d 'How stdin becomes messages' -r -f -a "lines\t'Each line is a message, without its newline'
null\t'Each NUL-terminated piece is a message'
chunks\t'Bytes are sent as they are read, as binary messages'
whole\t'All of stdin is one message'
json\t'Each line is a JSON command: any frame can be expressed'
commands\t'Each line is one of the prompt\'s: a message, or a command after `/`'
prompt\t'Lines are typed at the prompt: the default on a terminal'
none\t'stdin is not read'"
complete -c wscope -n "__fish_wscope_needs_command" -l output -d 'What is written to stdout' -r -f -a "lines\t'Each message, then a newline'
null\t'Each message, then a NUL'
raw\t'The bytes of messages, nothing added'
json\t'Each event as a line of JSON'
frames\t'The transcript: a line per frame, both ways'
hex\t'Each message as a line of hex digits'
none\t'Nothing'"
complete -c wscope -n "__fish_wscope_needs_command" -s x -l execute -d 'Send MESSAGE after connecting; may be given more than once' -r
complete -c wscope -n "__fish_wscope_needs_command" -s w -l linger -l wait -d 'After the input\'s end, stay until the peer is silent for SECS [default: 1]' -r
complete -c wscope -n "__fish_wscope_needs_command" -l exit-after -d 'Close after N received messages' -r
complete -c wscope -n "__fish_wscope_needs_command" -l until -d 'Close after a received message that matches REGEX' -r
complete -c wscope -n "__fish_wscope_needs_command" -l max-time -d 'End after SECS, whatever happens, with status 12' -r
complete -c wscope -n "__fish_wscope_needs_command" -l close-timeout -d 'Wait at most SECS for the answer to our Close' -r
complete -c wscope -n "__fish_wscope_needs_command" -l ping-interval -d 'Send a ping every SECS' -r
complete -c wscope -n "__fish_wscope_needs_command" -l pong-timeout -d 'After a ping, wait at most SECS for any byte' -r
complete -c wscope -n "__fish_wscope_needs_command" -l fault -d 'Do something wrong, to test the peer: NAME[:ARG][@open|@message:N]; may be repeated' -r
complete -c wscope -n "__fish_wscope_needs_command" -s u -l user -d 'Send Basic authorization; without a password, the terminal is asked' -r
complete -c wscope -n "__fish_wscope_needs_command" -l bearer -d 'Send a bearer token, typed, from a file, or from a variable' -r
complete -c wscope -n "__fish_wscope_needs_command" -l netrc-file -d 'The same from another file' -r -F
complete -c wscope -n "__fish_wscope_needs_command" -l cookie -d 'Send a cookie, or those of a file that fit; may be repeated' -r
complete -c wscope -n "__fish_wscope_needs_command" -l cookie-jar -d 'Write all cookies to FILE at the end, those of responses included' -r -F
complete -c wscope -n "__fish_wscope_needs_command" -l max-redirs -d 'Follow at most N redirects' -r
complete -c wscope -n "__fish_wscope_needs_command" -l retry -d 'If no connection can be opened, try again up to N times' -r
complete -c wscope -n "__fish_wscope_needs_command" -l retry-delay -d 'Wait SECS before the first retry; each further one waits twice as long, up to a minute' -r
complete -c wscope -n "__fish_wscope_needs_command" -l from-curl -d 'Take URL, headers and options from a curl command; `-` reads it from stdin' -r
complete -c wscope -n "__fish_wscope_needs_command" -l write-out -d 'At the end, write what FORMAT says: `%{http_code} %{time_upgrade}\\n`' -r
complete -c wscope -n "__fish_wscope_needs_command" -l config -d 'Read FILE instead of ~/.config/wscope/config' -r -F
complete -c wscope -n "__fish_wscope_needs_command" -l script -d 'Run the lines and commands of FILE, as if typed at the prompt; `-` is stdin' -r -F
complete -c wscope -n "__fish_wscope_needs_command" -l log -d 'Append every event to FILE, as lines of JSON' -r -F
complete -c wscope -n "__fish_wscope_needs_command" -l view -d 'How the transcript shows traffic [default: frames]' -r -f -a "frames\t'A line for each frame'
messages\t'The content of each message; control frames as lines'
json\t'A JSON object for each event'
hex\t'Every byte of header and payload'"
complete -c wscope -n "__fish_wscope_needs_command" -l timestamps -d 'Which time the transcript shows' -r -f -a "on\t'The time of day'
off\t'None'
relative\t'Seconds since the connection was opened'"
complete -c wscope -n "__fish_wscope_needs_command" -l max-message -d 'Fail with 1009 when a message has more bytes on the wire' -r
complete -c wscope -n "__fish_wscope_needs_command" -l max-inflated -d 'Fail with 1009 when a compressed message inflates to more bytes' -r
complete -c wscope -n "__fish_wscope_needs_command" -l max-memory -d 'Hold at most SIZE in memory of all that waits to be sent, written or completed' -r
complete -c wscope -n "__fish_wscope_needs_command" -l pretty -d 'When to show JSON pretty and coloured' -r -f -a "auto\t'In the view of messages, where one line is too short for it'
always\t'Always on several lines, and below the last frame of a message too'
never\t'As it came'"
complete -c wscope -n "__fish_wscope_needs_command" -l color -d 'When to use colours' -r -f -a "auto\t'On a terminal, unless NO_COLOR is set'
always\t'Even in a pipe'
never\t'Not at all'"
complete -c wscope -n "__fish_wscope_needs_command" -l redact -d 'Take a header or query parameter of this name for a secret; may be given several times' -r
complete -c wscope -n "__fish_wscope_needs_command" -s 4 -l ipv4 -d 'Use IPv4 only'
complete -c wscope -n "__fish_wscope_needs_command" -s 6 -l ipv6 -d 'Use IPv6 only'
complete -c wscope -n "__fish_wscope_needs_command" -l path-as-is -d 'Send the URL\'s path as it was typed, with /../ and all'
complete -c wscope -n "__fish_wscope_needs_command" -s k -l insecure -d 'Accept any TLS certificate'
complete -c wscope -n "__fish_wscope_needs_command" -l no-sni -d 'Send no server name in TLS'
complete -c wscope -n "__fish_wscope_needs_command" -l no-compress -d 'Do not offer permessage-deflate'
complete -c wscope -n "__fish_wscope_needs_command" -l server-no-context-takeover -d 'Ask the server to compress each message by itself'
complete -c wscope -n "__fish_wscope_needs_command" -l client-no-context-takeover -d 'Say that this side compresses each message by itself'
complete -c wscope -n "__fish_wscope_needs_command" -s b -l binary -d 'Send binary messages instead of text'
complete -c wscope -n "__fish_wscope_needs_command" -l echo -d 'Send every received message back unchanged; stdin is not read'
complete -c wscope -n "__fish_wscope_needs_command" -l no-pong -d 'Do not answer pings'
complete -c wscope -n "__fish_wscope_needs_command" -l lenient -d 'Report violations but go on, as long as frame boundaries can be found'
complete -c wscope -n "__fish_wscope_needs_command" -l list-faults -d 'List the faults, the rule each breaks, and what a correct peer does'
complete -c wscope -n "__fish_wscope_needs_command" -l diagnose -d 'When no connection can be opened, make one or two more to find the cause'
complete -c wscope -n "__fish_wscope_needs_command" -l netrc -d 'Take user and password for the host from ~/.netrc'
complete -c wscope -n "__fish_wscope_needs_command" -s L -l location -d 'Follow redirects'
complete -c wscope -n "__fish_wscope_needs_command" -l location-trusted -d 'Follow redirects, and send Authorization and Cookie wherever they lead'
complete -c wscope -n "__fish_wscope_needs_command" -l location-downgrade -d 'Follow redirects, also from wss to ws'
complete -c wscope -n "__fish_wscope_needs_command" -l reconnect -d 'When the connection is lost or the server restarts, connect again'
complete -c wscope -n "__fish_wscope_needs_command" -l dry-run -d 'Show the request and the way to the server, and connect to nothing'
complete -c wscope -n "__fish_wscope_needs_command" -l curl -d 'Print the curl command that does the same handshake, and connect to nothing'
complete -c wscope -n "__fish_wscope_needs_command" -l timing -d 'At the end, draw on stderr how long each phase took'
complete -c wscope -n "__fish_wscope_needs_command" -l no-config -d 'Read no configuration file and no variable WSCOPE_…'
complete -c wscope -n "__fish_wscope_needs_command" -l no-commands -d 'At the prompt and in scripts, send lines that start with `/` as they are'
complete -c wscope -n "__fish_wscope_needs_command" -l no-history -d 'Neither read nor write the prompt\'s history'
complete -c wscope -n "__fish_wscope_needs_command" -l commands -d 'Take each MESSAGE of -x as a line of the prompt: /commands work'
complete -c wscope -n "__fish_wscope_needs_command" -l exit-on-close -d 'Leave the prompt when the connection ends'
complete -c wscope -n "__fish_wscope_needs_command" -s v -l verbose -d 'Show handshake and frames on stderr; -vv adds hex of every header and payload'
complete -c wscope -n "__fish_wscope_needs_command" -s q -l quiet -d 'Show nothing but errors beside the output; at the prompt, the handshake in one line'
complete -c wscope -n "__fish_wscope_needs_command" -l show-secrets -d 'Show secrets as they are'
complete -c wscope -n "__fish_wscope_needs_command" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c wscope -n "__fish_wscope_needs_command" -s V -l version -d 'Print version'
complete -c wscope -n "__fish_wscope_needs_command" -a "connect" -d 'Connects to a server: a prompt on a terminal, a pipe otherwise'
complete -c wscope -n "__fish_wscope_needs_command" -a "listen" -d 'Listens for clients: shows them, answers them, talks to them'
complete -c wscope -n "__fish_wscope_needs_command" -a "handshake" -d 'Performs only the opening handshake and judges it, rule by rule'
complete -c wscope -n "__fish_wscope_needs_command" -a "doctor" -d 'Examines a server step by step, and says first what is wrong'
complete -c wscope -n "__fish_wscope_needs_command" -a "decode" -d 'Decodes captured bytes into frames, without a network'
complete -c wscope -n "__fish_wscope_needs_command" -a "explain" -d 'Explains a diagnostic, a close code, or what a browser says of a failure'
complete -c wscope -n "__fish_wscope_needs_command" -a "demo" -d 'Shows a session with an echo server inside the process'
complete -c wscope -n "__fish_wscope_needs_command" -a "completions" -d 'Prints the completion script of a shell'
complete -c wscope -n "__fish_wscope_needs_command" -a "man" -d 'Prints the manual page, in roff: `wscope man | man -l -`'
complete -c wscope -n "__fish_wscope_using_subcommand connect" -s c -l connect -d 'Same as URL, for those used to wscat' -r
complete -c wscope -n "__fish_wscope_using_subcommand connect" -s H -l header -d 'Add a header, or replace a default one of the same name; may be repeated' -r
complete -c wscope -n "__fish_wscope_using_subcommand connect" -s s -l subprotocol -d 'Offer a subprotocol; may be repeated, best first' -r
complete -c wscope -n "__fish_wscope_using_subcommand connect" -s o -l origin -d 'Send an Origin header, as a browser does' -r
complete -c wscope -n "__fish_wscope_using_subcommand connect" -l handshake-timeout -d 'Wait at most SECS for TLS and the server\'s response' -r
complete -c wscope -n "__fish_wscope_using_subcommand connect" -l connect-timeout -d 'Wait at most SECS for the name and a TCP connection' -r
complete -c wscope -n "__fish_wscope_using_subcommand connect" -l host -d 'Send this Host header instead of the URL\'s; see also --sni and --connect-to' -r
complete -c wscope -n "__fish_wscope_using_subcommand connect" -l http-header-order -d 'Send headers in this order: names parted by commas, or `given` for the order of -H' -r
complete -c wscope -n "__fish_wscope_using_subcommand connect" -l cacert -d 'Trust the certificates in a PEM file too' -r -F
complete -c wscope -n "__fish_wscope_using_subcommand connect" -l proxy -d 'Connect through a proxy: [http|https|socks5|socks5h|socks4a://]HOST[:PORT]' -r
complete -c wscope -n "__fish_wscope_using_subcommand connect" -l proxy-user -d 'The user and password for the proxy' -r
complete -c wscope -n "__fish_wscope_using_subcommand connect" -l noproxy -d 'Hosts that are reached without a proxy, instead of those in no_proxy' -r
complete -c wscope -n "__fish_wscope_using_subcommand connect" -l resolve -d 'Connect to these addresses instead of looking the name up; may be repeated' -r
complete -c wscope -n "__fish_wscope_using_subcommand connect" -l connect-to -d 'Connect to another host and port, but ask for the URL\'s; may be repeated' -r
complete -c wscope -n "__fish_wscope_using_subcommand connect" -l interface -d 'Leave from an address of this machine, or from a network interface' -r
complete -c wscope -n "__fish_wscope_using_subcommand connect" -l local-port -d 'Leave from this port, or the first free one of a range' -r
complete -c wscope -n "__fish_wscope_using_subcommand connect" -l unix-socket -d 'Connect to a Unix socket instead of the URL\'s host' -r -F
complete -c wscope -n "__fish_wscope_using_subcommand connect" -l capath -d 'Trust the certificates in all PEM files of a folder too' -r -F
complete -c wscope -n "__fish_wscope_using_subcommand connect" -l cert -d 'Show this certificate to a server that asks for one: PEM, or PKCS#12 with its key' -r -F
complete -c wscope -n "__fish_wscope_using_subcommand connect" -l key -d 'The key of the certificate, in PEM, if it is not in the same file' -r -F
complete -c wscope -n "__fish_wscope_using_subcommand connect" -l pass-env -d 'Take the key\'s passphrase from an environment variable [default: WSCOPE_PASSPHRASE]' -r
complete -c wscope -n "__fish_wscope_using_subcommand connect" -l pass-file -d 'Read the key\'s passphrase from the first line of FILE' -r -F
complete -c wscope -n "__fish_wscope_using_subcommand connect" -l tls-min -d 'The oldest TLS version to speak: 1.0, 1.1, 1.2 or 1.3 [default: 1.2]' -r
complete -c wscope -n "__fish_wscope_using_subcommand connect" -l tls-max -d 'The newest TLS version to speak' -r
complete -c wscope -n "__fish_wscope_using_subcommand connect" -l alpn -d 'Offer these protocols by ALPN, best first; an empty list offers none' -r
complete -c wscope -n "__fish_wscope_using_subcommand connect" -l sni -d 'Ask TLS for this name, and have the certificate prove it, instead of the URL\'s host' -r
complete -c wscope -n "__fish_wscope_using_subcommand connect" -l pinned-sha256 -d 'Accept only a server whose public key has this SHA-256 hash; may be repeated' -r
complete -c wscope -n "__fish_wscope_using_subcommand connect" -l tls-keylog -d 'Append the secrets of TLS to FILE, so that Wireshark can read along (Linux)' -r -F
complete -c wscope -n "__fish_wscope_using_subcommand connect" -l server-max-window-bits -d 'Ask the server to compress with a window of 2^BITS bytes, 8 to 15' -r
complete -c wscope -n "__fish_wscope_using_subcommand connect" -l client-max-window-bits -d 'Hint that this side will use a window of 2^BITS bytes, 8 to 15' -r
complete -c wscope -n "__fish_wscope_using_subcommand connect" -l input -d 'How stdin becomes messages' -r -f -a "lines\t'Each line is a message, without its newline'
null\t'Each NUL-terminated piece is a message'
chunks\t'Bytes are sent as they are read, as binary messages'
whole\t'All of stdin is one message'
json\t'Each line is a JSON command: any frame can be expressed'
commands\t'Each line is one of the prompt\'s: a message, or a command after `/`'
prompt\t'Lines are typed at the prompt: the default on a terminal'
none\t'stdin is not read'"
complete -c wscope -n "__fish_wscope_using_subcommand connect" -l output -d 'What is written to stdout' -r -f -a "lines\t'Each message, then a newline'
null\t'Each message, then a NUL'
raw\t'The bytes of messages, nothing added'
json\t'Each event as a line of JSON'
frames\t'The transcript: a line per frame, both ways'
hex\t'Each message as a line of hex digits'
none\t'Nothing'"
complete -c wscope -n "__fish_wscope_using_subcommand connect" -s x -l execute -d 'Send MESSAGE after connecting; may be given more than once' -r
complete -c wscope -n "__fish_wscope_using_subcommand connect" -s w -l linger -l wait -d 'After the input\'s end, stay until the peer is silent for SECS [default: 1]' -r
complete -c wscope -n "__fish_wscope_using_subcommand connect" -l exit-after -d 'Close after N received messages' -r
complete -c wscope -n "__fish_wscope_using_subcommand connect" -l until -d 'Close after a received message that matches REGEX' -r
complete -c wscope -n "__fish_wscope_using_subcommand connect" -l max-time -d 'End after SECS, whatever happens, with status 12' -r
complete -c wscope -n "__fish_wscope_using_subcommand connect" -l close-timeout -d 'Wait at most SECS for the answer to our Close' -r
complete -c wscope -n "__fish_wscope_using_subcommand connect" -l ping-interval -d 'Send a ping every SECS' -r
complete -c wscope -n "__fish_wscope_using_subcommand connect" -l pong-timeout -d 'After a ping, wait at most SECS for any byte' -r
complete -c wscope -n "__fish_wscope_using_subcommand connect" -l fault -d 'Do something wrong, to test the peer: NAME[:ARG][@open|@message:N]; may be repeated' -r
complete -c wscope -n "__fish_wscope_using_subcommand connect" -s u -l user -d 'Send Basic authorization; without a password, the terminal is asked' -r
complete -c wscope -n "__fish_wscope_using_subcommand connect" -l bearer -d 'Send a bearer token, typed, from a file, or from a variable' -r
complete -c wscope -n "__fish_wscope_using_subcommand connect" -l netrc-file -d 'The same from another file' -r -F
complete -c wscope -n "__fish_wscope_using_subcommand connect" -l cookie -d 'Send a cookie, or those of a file that fit; may be repeated' -r
complete -c wscope -n "__fish_wscope_using_subcommand connect" -l cookie-jar -d 'Write all cookies to FILE at the end, those of responses included' -r -F
complete -c wscope -n "__fish_wscope_using_subcommand connect" -l max-redirs -d 'Follow at most N redirects' -r
complete -c wscope -n "__fish_wscope_using_subcommand connect" -l retry -d 'If no connection can be opened, try again up to N times' -r
complete -c wscope -n "__fish_wscope_using_subcommand connect" -l retry-delay -d 'Wait SECS before the first retry; each further one waits twice as long, up to a minute' -r
complete -c wscope -n "__fish_wscope_using_subcommand connect" -l from-curl -d 'Take URL, headers and options from a curl command; `-` reads it from stdin' -r
complete -c wscope -n "__fish_wscope_using_subcommand connect" -l write-out -d 'At the end, write what FORMAT says: `%{http_code} %{time_upgrade}\\n`' -r
complete -c wscope -n "__fish_wscope_using_subcommand connect" -l config -d 'Read FILE instead of ~/.config/wscope/config' -r -F
complete -c wscope -n "__fish_wscope_using_subcommand connect" -l script -d 'Run the lines and commands of FILE, as if typed at the prompt; `-` is stdin' -r -F
complete -c wscope -n "__fish_wscope_using_subcommand connect" -l log -d 'Append every event to FILE, as lines of JSON' -r -F
complete -c wscope -n "__fish_wscope_using_subcommand connect" -l view -d 'How the transcript shows traffic [default: frames]' -r -f -a "frames\t'A line for each frame'
messages\t'The content of each message; control frames as lines'
json\t'A JSON object for each event'
hex\t'Every byte of header and payload'"
complete -c wscope -n "__fish_wscope_using_subcommand connect" -l timestamps -d 'Which time the transcript shows' -r -f -a "on\t'The time of day'
off\t'None'
relative\t'Seconds since the connection was opened'"
complete -c wscope -n "__fish_wscope_using_subcommand connect" -l max-message -d 'Fail with 1009 when a message has more bytes on the wire' -r
complete -c wscope -n "__fish_wscope_using_subcommand connect" -l max-inflated -d 'Fail with 1009 when a compressed message inflates to more bytes' -r
complete -c wscope -n "__fish_wscope_using_subcommand connect" -l max-memory -d 'Hold at most SIZE in memory of all that waits to be sent, written or completed' -r
complete -c wscope -n "__fish_wscope_using_subcommand connect" -l pretty -d 'When to show JSON pretty and coloured' -r -f -a "auto\t'In the view of messages, where one line is too short for it'
always\t'Always on several lines, and below the last frame of a message too'
never\t'As it came'"
complete -c wscope -n "__fish_wscope_using_subcommand connect" -l color -d 'When to use colours' -r -f -a "auto\t'On a terminal, unless NO_COLOR is set'
always\t'Even in a pipe'
never\t'Not at all'"
complete -c wscope -n "__fish_wscope_using_subcommand connect" -l redact -d 'Take a header or query parameter of this name for a secret; may be given several times' -r
complete -c wscope -n "__fish_wscope_using_subcommand connect" -s 4 -l ipv4 -d 'Use IPv4 only'
complete -c wscope -n "__fish_wscope_using_subcommand connect" -s 6 -l ipv6 -d 'Use IPv6 only'
complete -c wscope -n "__fish_wscope_using_subcommand connect" -l path-as-is -d 'Send the URL\'s path as it was typed, with /../ and all'
complete -c wscope -n "__fish_wscope_using_subcommand connect" -s k -l insecure -d 'Accept any TLS certificate'
complete -c wscope -n "__fish_wscope_using_subcommand connect" -l no-sni -d 'Send no server name in TLS'
complete -c wscope -n "__fish_wscope_using_subcommand connect" -l no-compress -d 'Do not offer permessage-deflate'
complete -c wscope -n "__fish_wscope_using_subcommand connect" -l server-no-context-takeover -d 'Ask the server to compress each message by itself'
complete -c wscope -n "__fish_wscope_using_subcommand connect" -l client-no-context-takeover -d 'Say that this side compresses each message by itself'
complete -c wscope -n "__fish_wscope_using_subcommand connect" -s b -l binary -d 'Send binary messages instead of text'
complete -c wscope -n "__fish_wscope_using_subcommand connect" -l echo -d 'Send every received message back unchanged; stdin is not read'
complete -c wscope -n "__fish_wscope_using_subcommand connect" -l no-pong -d 'Do not answer pings'
complete -c wscope -n "__fish_wscope_using_subcommand connect" -l lenient -d 'Report violations but go on, as long as frame boundaries can be found'
complete -c wscope -n "__fish_wscope_using_subcommand connect" -l list-faults -d 'List the faults, the rule each breaks, and what a correct peer does'
complete -c wscope -n "__fish_wscope_using_subcommand connect" -l diagnose -d 'When no connection can be opened, make one or two more to find the cause'
complete -c wscope -n "__fish_wscope_using_subcommand connect" -l netrc -d 'Take user and password for the host from ~/.netrc'
complete -c wscope -n "__fish_wscope_using_subcommand connect" -s L -l location -d 'Follow redirects'
complete -c wscope -n "__fish_wscope_using_subcommand connect" -l location-trusted -d 'Follow redirects, and send Authorization and Cookie wherever they lead'
complete -c wscope -n "__fish_wscope_using_subcommand connect" -l location-downgrade -d 'Follow redirects, also from wss to ws'
complete -c wscope -n "__fish_wscope_using_subcommand connect" -l reconnect -d 'When the connection is lost or the server restarts, connect again'
complete -c wscope -n "__fish_wscope_using_subcommand connect" -l dry-run -d 'Show the request and the way to the server, and connect to nothing'
complete -c wscope -n "__fish_wscope_using_subcommand connect" -l curl -d 'Print the curl command that does the same handshake, and connect to nothing'
complete -c wscope -n "__fish_wscope_using_subcommand connect" -l timing -d 'At the end, draw on stderr how long each phase took'
complete -c wscope -n "__fish_wscope_using_subcommand connect" -l no-config -d 'Read no configuration file and no variable WSCOPE_…'
complete -c wscope -n "__fish_wscope_using_subcommand connect" -l no-commands -d 'At the prompt and in scripts, send lines that start with `/` as they are'
complete -c wscope -n "__fish_wscope_using_subcommand connect" -l no-history -d 'Neither read nor write the prompt\'s history'
complete -c wscope -n "__fish_wscope_using_subcommand connect" -l commands -d 'Take each MESSAGE of -x as a line of the prompt: /commands work'
complete -c wscope -n "__fish_wscope_using_subcommand connect" -l exit-on-close -d 'Leave the prompt when the connection ends'
complete -c wscope -n "__fish_wscope_using_subcommand connect" -s v -l verbose -d 'Show handshake and frames on stderr; -vv adds hex of every header and payload'
complete -c wscope -n "__fish_wscope_using_subcommand connect" -s q -l quiet -d 'Show nothing but errors beside the output; at the prompt, the handshake in one line'
complete -c wscope -n "__fish_wscope_using_subcommand connect" -l show-secrets -d 'Show secrets as they are'
complete -c wscope -n "__fish_wscope_using_subcommand connect" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c wscope -n "__fish_wscope_using_subcommand listen" -l unix-socket -d 'Listen on a Unix socket' -r -F
complete -c wscope -n "__fish_wscope_using_subcommand listen" -l unix-mode -d 'Permissions of the Unix socket, in octal' -r
complete -c wscope -n "__fish_wscope_using_subcommand listen" -l reply -d 'Answer every message with TEXT' -r
complete -c wscope -n "__fish_wscope_using_subcommand listen" -l exec -d 'Run CMD for each client: messages become lines of its stdin, its lines become messages' -r
complete -c wscope -n "__fish_wscope_using_subcommand listen" -l send -d 'Send the messages in FILE to each client first; `-` reads stdin' -r -F
complete -c wscope -n "__fish_wscope_using_subcommand listen" -l input -d 'How stdin becomes messages, which go to all clients' -r -f -a "lines\t'Each line is a message, without its newline'
null\t'Each NUL-terminated piece is a message'
chunks\t'Bytes are sent as they are read, as binary messages'
whole\t'All of stdin is one message'
json\t'Each line is a JSON command: any frame can be expressed'
commands\t'Each line is one of the prompt\'s: a message, or a command after `/`'
prompt\t'Lines are typed at the prompt: the default on a terminal'
none\t'stdin is not read'"
complete -c wscope -n "__fish_wscope_using_subcommand listen" -l output -d 'What is written to stdout' -r -f -a "lines\t'Each message, then a newline'
null\t'Each message, then a NUL'
raw\t'The bytes of messages, nothing added'
json\t'Each event as a line of JSON'
frames\t'The transcript: a line per frame, both ways'
hex\t'Each message as a line of hex digits'
none\t'Nothing'"
complete -c wscope -n "__fish_wscope_using_subcommand listen" -s s -l subprotocol -d 'Speak a subprotocol; may be repeated, preferred first' -r
complete -c wscope -n "__fish_wscope_using_subcommand listen" -l path -d 'Serve this path only, others get 404; may be repeated' -r
complete -c wscope -n "__fish_wscope_using_subcommand listen" -l origin -d 'Let pages of ORIGIN in, as in `https://example.com`; `*` lets all in; may be repeated' -r
complete -c wscope -n "__fish_wscope_using_subcommand listen" -s H -l header -d 'Add a header to the 101, or replace a default one; may be repeated' -r
complete -c wscope -n "__fish_wscope_using_subcommand listen" -s u -l user -d 'Ask for a user and password (Basic authorization)' -r
complete -c wscope -n "__fish_wscope_using_subcommand listen" -l bearer -d 'Ask for a token (Bearer authorization)' -r
complete -c wscope -n "__fish_wscope_using_subcommand listen" -l reject -d 'Refuse every handshake with an HTTP status, and a body' -r
complete -c wscope -n "__fish_wscope_using_subcommand listen" -l handshake-timeout -d 'Wait at most SECS for TLS and a client\'s request' -r
complete -c wscope -n "__fish_wscope_using_subcommand listen" -l cert -d 'Speak TLS with the certificate in FILE: PEM, or PKCS#12 with its key' -r -F
complete -c wscope -n "__fish_wscope_using_subcommand listen" -l key -d 'The key of the certificate, in PEM, if it is not in the same file' -r -F
complete -c wscope -n "__fish_wscope_using_subcommand listen" -l pass-file -d 'Read the key\'s passphrase from the first line of FILE' -r -F
complete -c wscope -n "__fish_wscope_using_subcommand listen" -l self-signed-out -d 'The same, and write the certificate to FILE: clients trust it with --cacert FILE' -r -F
complete -c wscope -n "__fish_wscope_using_subcommand listen" -l server-max-window-bits -d 'Compress with a window of at most 2^BITS bytes, 9 to 15' -r
complete -c wscope -n "__fish_wscope_using_subcommand listen" -l client-max-window-bits -d 'Have clients that can do so use a window of at most 2^BITS bytes, 9 to 15' -r
complete -c wscope -n "__fish_wscope_using_subcommand listen" -s w -l linger -d 'After the end of a script, or with --once of the input, stay until clients are silent for SECS [default: 1]' -r
complete -c wscope -n "__fish_wscope_using_subcommand listen" -l exit-after -d 'End after N received messages' -r
complete -c wscope -n "__fish_wscope_using_subcommand listen" -l max-time -d 'End after SECS, whatever happens, with status 12' -r
complete -c wscope -n "__fish_wscope_using_subcommand listen" -l close-timeout -d 'Wait at most SECS for the answer to our Close' -r
complete -c wscope -n "__fish_wscope_using_subcommand listen" -l max-clients -d 'Serve at most N clients at once; further ones get 503 [default: as descriptors allow]' -r
complete -c wscope -n "__fish_wscope_using_subcommand listen" -l idle-timeout -d 'Close a client that sends nothing for SECS' -r
complete -c wscope -n "__fish_wscope_using_subcommand listen" -l max-message -d 'Fail with 1009 when a message has more bytes on the wire' -r
complete -c wscope -n "__fish_wscope_using_subcommand listen" -l max-inflated -d 'Fail with 1009 when a compressed message inflates to more bytes' -r
complete -c wscope -n "__fish_wscope_using_subcommand listen" -l max-memory -d 'Hold at most SIZE in memory of all that waits, of all clients together' -r
complete -c wscope -n "__fish_wscope_using_subcommand listen" -l max-backlog -d 'Hold at most SIZE that clients have yet to read; beyond it the slowest is closed with 1013' -r
complete -c wscope -n "__fish_wscope_using_subcommand listen" -l ping-interval -d 'Send each client a ping every SECS' -r
complete -c wscope -n "__fish_wscope_using_subcommand listen" -l pong-timeout -d 'After a ping, wait at most SECS for any byte' -r
complete -c wscope -n "__fish_wscope_using_subcommand listen" -l config -d 'Read FILE instead of ~/.config/wscope/config' -r -F
complete -c wscope -n "__fish_wscope_using_subcommand listen" -l fault -d 'Do something wrong, to test the peer: NAME[:ARG][@open|@message:N]; may be repeated' -r
complete -c wscope -n "__fish_wscope_using_subcommand listen" -l script -d 'Run the lines and commands of FILE, as if typed at the prompt; `-` is stdin' -r -F
complete -c wscope -n "__fish_wscope_using_subcommand listen" -l log -d 'Append every event to FILE, as lines of JSON' -r -F
complete -c wscope -n "__fish_wscope_using_subcommand listen" -l view -d 'How the transcript shows traffic [default: frames]' -r -f -a "frames\t'A line for each frame'
messages\t'The content of each message; control frames as lines'
json\t'A JSON object for each event'
hex\t'Every byte of header and payload'"
complete -c wscope -n "__fish_wscope_using_subcommand listen" -l timestamps -d 'Which time the transcript shows' -r -f -a "on\t'The time of day'
off\t'None'
relative\t'Seconds since the connection was opened'"
complete -c wscope -n "__fish_wscope_using_subcommand listen" -l pretty -d 'When to show JSON pretty and coloured' -r -f -a "auto\t'In the view of messages, where one line is too short for it'
always\t'Always on several lines, and below the last frame of a message too'
never\t'As it came'"
complete -c wscope -n "__fish_wscope_using_subcommand listen" -l color -d 'When to use colours' -r -f -a "auto\t'On a terminal, unless NO_COLOR is set'
always\t'Even in a pipe'
never\t'Not at all'"
complete -c wscope -n "__fish_wscope_using_subcommand listen" -l redact -d 'Take a header or query parameter of this name for a secret; may be given several times' -r
complete -c wscope -n "__fish_wscope_using_subcommand listen" -l echo -d 'Send every message back to its sender'
complete -c wscope -n "__fish_wscope_using_subcommand listen" -l broadcast -d 'Send every message to all other clients'
complete -c wscope -n "__fish_wscope_using_subcommand listen" -l exec-raw -d 'With --exec: bytes as they are, without lines; what it writes becomes binary messages'
complete -c wscope -n "__fish_wscope_using_subcommand listen" -s b -l binary -d 'Send binary messages instead of text'
complete -c wscope -n "__fish_wscope_using_subcommand listen" -l require-subprotocol -d 'Refuse clients that offer none of the subprotocols, with 400'
complete -c wscope -n "__fish_wscope_using_subcommand listen" -l self-signed -d 'Speak TLS with a throw-away certificate for this machine'
complete -c wscope -n "__fish_wscope_using_subcommand listen" -l no-compress -d 'Decline permessage-deflate'
complete -c wscope -n "__fish_wscope_using_subcommand listen" -l server-no-context-takeover -d 'Compress each message by itself'
complete -c wscope -n "__fish_wscope_using_subcommand listen" -l client-no-context-takeover -d 'Have clients compress each message by itself'
complete -c wscope -n "__fish_wscope_using_subcommand listen" -l once -d 'Serve one session and end with its status'
complete -c wscope -n "__fish_wscope_using_subcommand listen" -l no-pong -d 'Do not answer pings'
complete -c wscope -n "__fish_wscope_using_subcommand listen" -l lenient -d 'Report violations but go on, as long as frame boundaries can be found'
complete -c wscope -n "__fish_wscope_using_subcommand listen" -l no-config -d 'Read no configuration file and no variable WSCOPE_…'
complete -c wscope -n "__fish_wscope_using_subcommand listen" -l list-faults -d 'List the faults, the rule each breaks, and what a correct peer does'
complete -c wscope -n "__fish_wscope_using_subcommand listen" -l no-commands -d 'At the prompt and in scripts, send lines that start with `/` as they are'
complete -c wscope -n "__fish_wscope_using_subcommand listen" -l no-history -d 'Neither read nor write the prompt\'s history'
complete -c wscope -n "__fish_wscope_using_subcommand listen" -s v -l verbose -d 'Show handshake and frames on stderr; -vv adds hex of every header and payload'
complete -c wscope -n "__fish_wscope_using_subcommand listen" -s q -l quiet -d 'Show nothing but errors beside the output; at the prompt, the handshake in one line'
complete -c wscope -n "__fish_wscope_using_subcommand listen" -l show-secrets -d 'Show secrets as they are'
complete -c wscope -n "__fish_wscope_using_subcommand listen" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c wscope -n "__fish_wscope_using_subcommand handshake" -s H -l header -d 'Add a header, or replace a default one of the same name; may be repeated' -r
complete -c wscope -n "__fish_wscope_using_subcommand handshake" -s s -l subprotocol -d 'Offer a subprotocol; may be repeated, best first' -r
complete -c wscope -n "__fish_wscope_using_subcommand handshake" -s o -l origin -d 'Send an Origin header, as a browser does' -r
complete -c wscope -n "__fish_wscope_using_subcommand handshake" -l handshake-timeout -d 'Wait at most SECS for TLS and the server\'s response' -r
complete -c wscope -n "__fish_wscope_using_subcommand handshake" -l connect-timeout -d 'Wait at most SECS for the name and a TCP connection' -r
complete -c wscope -n "__fish_wscope_using_subcommand handshake" -l host -d 'Send this Host header instead of the URL\'s; see also --sni and --connect-to' -r
complete -c wscope -n "__fish_wscope_using_subcommand handshake" -l http-header-order -d 'Send headers in this order: names parted by commas, or `given` for the order of -H' -r
complete -c wscope -n "__fish_wscope_using_subcommand handshake" -l cacert -d 'Trust the certificates in a PEM file too' -r -F
complete -c wscope -n "__fish_wscope_using_subcommand handshake" -l proxy -d 'Connect through a proxy: [http|https|socks5|socks5h|socks4a://]HOST[:PORT]' -r
complete -c wscope -n "__fish_wscope_using_subcommand handshake" -l proxy-user -d 'The user and password for the proxy' -r
complete -c wscope -n "__fish_wscope_using_subcommand handshake" -l noproxy -d 'Hosts that are reached without a proxy, instead of those in no_proxy' -r
complete -c wscope -n "__fish_wscope_using_subcommand handshake" -l resolve -d 'Connect to these addresses instead of looking the name up; may be repeated' -r
complete -c wscope -n "__fish_wscope_using_subcommand handshake" -l connect-to -d 'Connect to another host and port, but ask for the URL\'s; may be repeated' -r
complete -c wscope -n "__fish_wscope_using_subcommand handshake" -l interface -d 'Leave from an address of this machine, or from a network interface' -r
complete -c wscope -n "__fish_wscope_using_subcommand handshake" -l local-port -d 'Leave from this port, or the first free one of a range' -r
complete -c wscope -n "__fish_wscope_using_subcommand handshake" -l unix-socket -d 'Connect to a Unix socket instead of the URL\'s host' -r -F
complete -c wscope -n "__fish_wscope_using_subcommand handshake" -l capath -d 'Trust the certificates in all PEM files of a folder too' -r -F
complete -c wscope -n "__fish_wscope_using_subcommand handshake" -l cert -d 'Show this certificate to a server that asks for one: PEM, or PKCS#12 with its key' -r -F
complete -c wscope -n "__fish_wscope_using_subcommand handshake" -l key -d 'The key of the certificate, in PEM, if it is not in the same file' -r -F
complete -c wscope -n "__fish_wscope_using_subcommand handshake" -l pass-env -d 'Take the key\'s passphrase from an environment variable [default: WSCOPE_PASSPHRASE]' -r
complete -c wscope -n "__fish_wscope_using_subcommand handshake" -l pass-file -d 'Read the key\'s passphrase from the first line of FILE' -r -F
complete -c wscope -n "__fish_wscope_using_subcommand handshake" -l tls-min -d 'The oldest TLS version to speak: 1.0, 1.1, 1.2 or 1.3 [default: 1.2]' -r
complete -c wscope -n "__fish_wscope_using_subcommand handshake" -l tls-max -d 'The newest TLS version to speak' -r
complete -c wscope -n "__fish_wscope_using_subcommand handshake" -l alpn -d 'Offer these protocols by ALPN, best first; an empty list offers none' -r
complete -c wscope -n "__fish_wscope_using_subcommand handshake" -l sni -d 'Ask TLS for this name, and have the certificate prove it, instead of the URL\'s host' -r
complete -c wscope -n "__fish_wscope_using_subcommand handshake" -l pinned-sha256 -d 'Accept only a server whose public key has this SHA-256 hash; may be repeated' -r
complete -c wscope -n "__fish_wscope_using_subcommand handshake" -l tls-keylog -d 'Append the secrets of TLS to FILE, so that Wireshark can read along (Linux)' -r -F
complete -c wscope -n "__fish_wscope_using_subcommand handshake" -l server-max-window-bits -d 'Ask the server to compress with a window of 2^BITS bytes, 8 to 15' -r
complete -c wscope -n "__fish_wscope_using_subcommand handshake" -l client-max-window-bits -d 'Hint that this side will use a window of 2^BITS bytes, 8 to 15' -r
complete -c wscope -n "__fish_wscope_using_subcommand handshake" -l output -d 'What is written to stdout' -r -f -a "text\t'For people'
json\t'Each event as a line of JSON'"
complete -c wscope -n "__fish_wscope_using_subcommand handshake" -s u -l user -d 'Send Basic authorization; without a password, the terminal is asked' -r
complete -c wscope -n "__fish_wscope_using_subcommand handshake" -l bearer -d 'Send a bearer token, typed, from a file, or from a variable' -r
complete -c wscope -n "__fish_wscope_using_subcommand handshake" -l netrc-file -d 'The same from another file' -r -F
complete -c wscope -n "__fish_wscope_using_subcommand handshake" -l cookie -d 'Send a cookie, or those of a file that fit; may be repeated' -r
complete -c wscope -n "__fish_wscope_using_subcommand handshake" -l cookie-jar -d 'Write all cookies to FILE at the end, those of responses included' -r -F
complete -c wscope -n "__fish_wscope_using_subcommand handshake" -l max-redirs -d 'Follow at most N redirects' -r
complete -c wscope -n "__fish_wscope_using_subcommand handshake" -l from-curl -d 'Take URL, headers and options from a curl command; `-` reads it from stdin' -r
complete -c wscope -n "__fish_wscope_using_subcommand handshake" -l write-out -d 'At the end, write what FORMAT says: `%{http_code} %{time_upgrade}\\n`' -r
complete -c wscope -n "__fish_wscope_using_subcommand handshake" -l config -d 'Read FILE instead of ~/.config/wscope/config' -r -F
complete -c wscope -n "__fish_wscope_using_subcommand handshake" -l pretty -d 'When to show JSON pretty and coloured' -r -f -a "auto\t'In the view of messages, where one line is too short for it'
always\t'Always on several lines, and below the last frame of a message too'
never\t'As it came'"
complete -c wscope -n "__fish_wscope_using_subcommand handshake" -l color -d 'When to use colours' -r -f -a "auto\t'On a terminal, unless NO_COLOR is set'
always\t'Even in a pipe'
never\t'Not at all'"
complete -c wscope -n "__fish_wscope_using_subcommand handshake" -l redact -d 'Take a header or query parameter of this name for a secret; may be given several times' -r
complete -c wscope -n "__fish_wscope_using_subcommand handshake" -s 4 -l ipv4 -d 'Use IPv4 only'
complete -c wscope -n "__fish_wscope_using_subcommand handshake" -s 6 -l ipv6 -d 'Use IPv6 only'
complete -c wscope -n "__fish_wscope_using_subcommand handshake" -l path-as-is -d 'Send the URL\'s path as it was typed, with /../ and all'
complete -c wscope -n "__fish_wscope_using_subcommand handshake" -s k -l insecure -d 'Accept any TLS certificate'
complete -c wscope -n "__fish_wscope_using_subcommand handshake" -l no-sni -d 'Send no server name in TLS'
complete -c wscope -n "__fish_wscope_using_subcommand handshake" -l no-compress -d 'Do not offer permessage-deflate'
complete -c wscope -n "__fish_wscope_using_subcommand handshake" -l server-no-context-takeover -d 'Ask the server to compress each message by itself'
complete -c wscope -n "__fish_wscope_using_subcommand handshake" -l client-no-context-takeover -d 'Say that this side compresses each message by itself'
complete -c wscope -n "__fish_wscope_using_subcommand handshake" -l strict -d 'Let a broken SHOULD, and not only a broken MUST, decide the exit status'
complete -c wscope -n "__fish_wscope_using_subcommand handshake" -l netrc -d 'Take user and password for the host from ~/.netrc'
complete -c wscope -n "__fish_wscope_using_subcommand handshake" -s L -l location -d 'Follow redirects'
complete -c wscope -n "__fish_wscope_using_subcommand handshake" -l location-trusted -d 'Follow redirects, and send Authorization and Cookie wherever they lead'
complete -c wscope -n "__fish_wscope_using_subcommand handshake" -l location-downgrade -d 'Follow redirects, also from wss to ws'
complete -c wscope -n "__fish_wscope_using_subcommand handshake" -l dry-run -d 'Show the request and the way to the server, and connect to nothing'
complete -c wscope -n "__fish_wscope_using_subcommand handshake" -l curl -d 'Print the curl command that does the same handshake, and connect to nothing'
complete -c wscope -n "__fish_wscope_using_subcommand handshake" -l timing -d 'At the end, draw on stderr how long each phase took'
complete -c wscope -n "__fish_wscope_using_subcommand handshake" -l no-config -d 'Read no configuration file and no variable WSCOPE_…'
complete -c wscope -n "__fish_wscope_using_subcommand handshake" -s v -l verbose -d 'Show handshake and frames on stderr; -vv adds hex of every header and payload'
complete -c wscope -n "__fish_wscope_using_subcommand handshake" -s q -l quiet -d 'Show nothing but errors beside the output; at the prompt, the handshake in one line'
complete -c wscope -n "__fish_wscope_using_subcommand handshake" -l show-secrets -d 'Show secrets as they are'
complete -c wscope -n "__fish_wscope_using_subcommand handshake" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c wscope -n "__fish_wscope_using_subcommand doctor" -s H -l header -d 'Add a header, or replace a default one of the same name; may be repeated' -r
complete -c wscope -n "__fish_wscope_using_subcommand doctor" -s s -l subprotocol -d 'Offer a subprotocol; may be repeated, best first' -r
complete -c wscope -n "__fish_wscope_using_subcommand doctor" -s o -l origin -d 'Send an Origin header, as a browser does' -r
complete -c wscope -n "__fish_wscope_using_subcommand doctor" -l handshake-timeout -d 'Wait at most SECS for TLS and the server\'s response' -r
complete -c wscope -n "__fish_wscope_using_subcommand doctor" -l connect-timeout -d 'Wait at most SECS for the name and a TCP connection' -r
complete -c wscope -n "__fish_wscope_using_subcommand doctor" -l host -d 'Send this Host header instead of the URL\'s; see also --sni and --connect-to' -r
complete -c wscope -n "__fish_wscope_using_subcommand doctor" -l http-header-order -d 'Send headers in this order: names parted by commas, or `given` for the order of -H' -r
complete -c wscope -n "__fish_wscope_using_subcommand doctor" -l cacert -d 'Trust the certificates in a PEM file too' -r -F
complete -c wscope -n "__fish_wscope_using_subcommand doctor" -l proxy -d 'Connect through a proxy: [http|https|socks5|socks5h|socks4a://]HOST[:PORT]' -r
complete -c wscope -n "__fish_wscope_using_subcommand doctor" -l proxy-user -d 'The user and password for the proxy' -r
complete -c wscope -n "__fish_wscope_using_subcommand doctor" -l noproxy -d 'Hosts that are reached without a proxy, instead of those in no_proxy' -r
complete -c wscope -n "__fish_wscope_using_subcommand doctor" -l resolve -d 'Connect to these addresses instead of looking the name up; may be repeated' -r
complete -c wscope -n "__fish_wscope_using_subcommand doctor" -l connect-to -d 'Connect to another host and port, but ask for the URL\'s; may be repeated' -r
complete -c wscope -n "__fish_wscope_using_subcommand doctor" -l interface -d 'Leave from an address of this machine, or from a network interface' -r
complete -c wscope -n "__fish_wscope_using_subcommand doctor" -l local-port -d 'Leave from this port, or the first free one of a range' -r
complete -c wscope -n "__fish_wscope_using_subcommand doctor" -l unix-socket -d 'Connect to a Unix socket instead of the URL\'s host' -r -F
complete -c wscope -n "__fish_wscope_using_subcommand doctor" -l capath -d 'Trust the certificates in all PEM files of a folder too' -r -F
complete -c wscope -n "__fish_wscope_using_subcommand doctor" -l cert -d 'Show this certificate to a server that asks for one: PEM, or PKCS#12 with its key' -r -F
complete -c wscope -n "__fish_wscope_using_subcommand doctor" -l key -d 'The key of the certificate, in PEM, if it is not in the same file' -r -F
complete -c wscope -n "__fish_wscope_using_subcommand doctor" -l pass-env -d 'Take the key\'s passphrase from an environment variable [default: WSCOPE_PASSPHRASE]' -r
complete -c wscope -n "__fish_wscope_using_subcommand doctor" -l pass-file -d 'Read the key\'s passphrase from the first line of FILE' -r -F
complete -c wscope -n "__fish_wscope_using_subcommand doctor" -l tls-min -d 'The oldest TLS version to speak: 1.0, 1.1, 1.2 or 1.3 [default: 1.2]' -r
complete -c wscope -n "__fish_wscope_using_subcommand doctor" -l tls-max -d 'The newest TLS version to speak' -r
complete -c wscope -n "__fish_wscope_using_subcommand doctor" -l alpn -d 'Offer these protocols by ALPN, best first; an empty list offers none' -r
complete -c wscope -n "__fish_wscope_using_subcommand doctor" -l sni -d 'Ask TLS for this name, and have the certificate prove it, instead of the URL\'s host' -r
complete -c wscope -n "__fish_wscope_using_subcommand doctor" -l pinned-sha256 -d 'Accept only a server whose public key has this SHA-256 hash; may be repeated' -r
complete -c wscope -n "__fish_wscope_using_subcommand doctor" -l tls-keylog -d 'Append the secrets of TLS to FILE, so that Wireshark can read along (Linux)' -r -F
complete -c wscope -n "__fish_wscope_using_subcommand doctor" -l server-max-window-bits -d 'Ask the server to compress with a window of 2^BITS bytes, 8 to 15' -r
complete -c wscope -n "__fish_wscope_using_subcommand doctor" -l client-max-window-bits -d 'Hint that this side will use a window of 2^BITS bytes, 8 to 15' -r
complete -c wscope -n "__fish_wscope_using_subcommand doctor" -l config -d 'Read FILE instead of ~/.config/wscope/config' -r -F
complete -c wscope -n "__fish_wscope_using_subcommand doctor" -l idle -d 'Leave the connection idle for SECS, then see whether it still answers' -r
complete -c wscope -n "__fish_wscope_using_subcommand doctor" -l output -d 'What is written to stdout' -r -f -a "text\t'For people'
json\t'Each event as a line of JSON'"
complete -c wscope -n "__fish_wscope_using_subcommand doctor" -l color -d 'When to use colours' -r -f -a "auto\t'On a terminal, unless NO_COLOR is set'
always\t'Even in a pipe'
never\t'Not at all'"
complete -c wscope -n "__fish_wscope_using_subcommand doctor" -s 4 -l ipv4 -d 'Use IPv4 only'
complete -c wscope -n "__fish_wscope_using_subcommand doctor" -s 6 -l ipv6 -d 'Use IPv6 only'
complete -c wscope -n "__fish_wscope_using_subcommand doctor" -l path-as-is -d 'Send the URL\'s path as it was typed, with /../ and all'
complete -c wscope -n "__fish_wscope_using_subcommand doctor" -s k -l insecure -d 'Accept any TLS certificate'
complete -c wscope -n "__fish_wscope_using_subcommand doctor" -l no-sni -d 'Send no server name in TLS'
complete -c wscope -n "__fish_wscope_using_subcommand doctor" -l no-compress -d 'Do not offer permessage-deflate'
complete -c wscope -n "__fish_wscope_using_subcommand doctor" -l server-no-context-takeover -d 'Ask the server to compress each message by itself'
complete -c wscope -n "__fish_wscope_using_subcommand doctor" -l client-no-context-takeover -d 'Say that this side compresses each message by itself'
complete -c wscope -n "__fish_wscope_using_subcommand doctor" -l no-config -d 'Read no configuration file and no variable WSCOPE_…'
complete -c wscope -n "__fish_wscope_using_subcommand doctor" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c wscope -n "__fish_wscope_using_subcommand decode" -l hex -d 'Decode these hex digits instead of a file' -r
complete -c wscope -n "__fish_wscope_using_subcommand decode" -l role -d 'Who sent the bytes [default: found from the handshake or the first frame\'s mask]' -r -f -a "client\t'A client sent them: frames must be masked'
server\t'A server sent them: frames must not be masked'"
complete -c wscope -n "__fish_wscope_using_subcommand decode" -l config -d 'Read FILE instead of ~/.config/wscope/config' -r -F
complete -c wscope -n "__fish_wscope_using_subcommand decode" -l output -d 'What is written to stdout' -r -f -a "frames\t'The transcript: a line per frame'
json\t'Each event as a line of JSON'
raw\t'The bytes of messages, nothing added'
lines\t'Each message, then a newline'"
complete -c wscope -n "__fish_wscope_using_subcommand decode" -l max-message -d 'Fail with 1009 when a message has more bytes on the wire' -r
complete -c wscope -n "__fish_wscope_using_subcommand decode" -l max-inflated -d 'Fail with 1009 when a compressed message inflates to more bytes' -r
complete -c wscope -n "__fish_wscope_using_subcommand decode" -l pretty -d 'When to show JSON pretty and coloured' -r -f -a "auto\t'In the view of messages, where one line is too short for it'
always\t'Always on several lines, and below the last frame of a message too'
never\t'As it came'"
complete -c wscope -n "__fish_wscope_using_subcommand decode" -l color -d 'When to use colours' -r -f -a "auto\t'On a terminal, unless NO_COLOR is set'
always\t'Even in a pipe'
never\t'Not at all'"
complete -c wscope -n "__fish_wscope_using_subcommand decode" -l redact -d 'Take a header or query parameter of this name for a secret; may be given several times' -r
complete -c wscope -n "__fish_wscope_using_subcommand decode" -l raw -d 'Take the input as bytes, not as hex'
complete -c wscope -n "__fish_wscope_using_subcommand decode" -l no-config -d 'Read no configuration file and no variable WSCOPE_…'
complete -c wscope -n "__fish_wscope_using_subcommand decode" -l deflate -d 'Inflate compressed messages: the capture begins after a handshake that agreed on it'
complete -c wscope -n "__fish_wscope_using_subcommand decode" -s v -l verbose -d 'Show handshake and frames on stderr; -vv adds hex of every header and payload'
complete -c wscope -n "__fish_wscope_using_subcommand decode" -s q -l quiet -d 'Show nothing but errors beside the output; at the prompt, the handshake in one line'
complete -c wscope -n "__fish_wscope_using_subcommand decode" -l show-secrets -d 'Show secrets as they are'
complete -c wscope -n "__fish_wscope_using_subcommand decode" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c wscope -n "__fish_wscope_using_subcommand explain" -l browser -d 'Explain what a browser\'s console or Node.js says of a failure' -r
complete -c wscope -n "__fish_wscope_using_subcommand explain" -l color -d 'When to use colours' -r -f -a "auto\t'On a terminal, unless NO_COLOR is set'
always\t'Even in a pipe'
never\t'Not at all'"
complete -c wscope -n "__fish_wscope_using_subcommand explain" -l list -d 'List all diagnostics'
complete -c wscope -n "__fish_wscope_using_subcommand explain" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c wscope -n "__fish_wscope_using_subcommand demo" -l config -d 'Read FILE instead of ~/.config/wscope/config' -r -F
complete -c wscope -n "__fish_wscope_using_subcommand demo" -l pretty -d 'When to show JSON pretty and coloured' -r -f -a "auto\t'In the view of messages, where one line is too short for it'
always\t'Always on several lines, and below the last frame of a message too'
never\t'As it came'"
complete -c wscope -n "__fish_wscope_using_subcommand demo" -l color -d 'When to use colours' -r -f -a "auto\t'On a terminal, unless NO_COLOR is set'
always\t'Even in a pipe'
never\t'Not at all'"
complete -c wscope -n "__fish_wscope_using_subcommand demo" -l redact -d 'Take a header or query parameter of this name for a secret; may be given several times' -r
complete -c wscope -n "__fish_wscope_using_subcommand demo" -l no-config -d 'Read no configuration file and no variable WSCOPE_…'
complete -c wscope -n "__fish_wscope_using_subcommand demo" -s v -l verbose -d 'Show handshake and frames on stderr; -vv adds hex of every header and payload'
complete -c wscope -n "__fish_wscope_using_subcommand demo" -s q -l quiet -d 'Show nothing but errors beside the output; at the prompt, the handshake in one line'
complete -c wscope -n "__fish_wscope_using_subcommand demo" -l show-secrets -d 'Show secrets as they are'
complete -c wscope -n "__fish_wscope_using_subcommand demo" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c wscope -n "__fish_wscope_using_subcommand completions" -s h -l help -d 'Print help'
complete -c wscope -n "__fish_wscope_using_subcommand man" -s h -l help -d 'Print help'
