
using namespace System.Management.Automation
using namespace System.Management.Automation.Language

Register-ArgumentCompleter -Native -CommandName 'wscope' -ScriptBlock {
    param($wordToComplete, $commandAst, $cursorPosition)

    $commandElements = $commandAst.CommandElements
    $command = @(
        'wscope'
        for ($i = 1; $i -lt $commandElements.Count; $i++) {
            $element = $commandElements[$i]
            if ($element -isnot [StringConstantExpressionAst] -or
                $element.StringConstantType -ne [StringConstantType]::BareWord -or
                $element.Value.StartsWith('-') -or
                $element.Value -eq $wordToComplete) {
                break
        }
        $element.Value
    }) -join ';'

    $completions = @(switch ($command) {
        'wscope' {
            [CompletionResult]::new('-c', '-c', [CompletionResultType]::ParameterName, 'Same as URL, for those used to wscat')
            [CompletionResult]::new('--connect', '--connect', [CompletionResultType]::ParameterName, 'Same as URL, for those used to wscat')
            [CompletionResult]::new('-H', '-H ', [CompletionResultType]::ParameterName, 'Add a header, or replace a default one of the same name; may be repeated')
            [CompletionResult]::new('--header', '--header', [CompletionResultType]::ParameterName, 'Add a header, or replace a default one of the same name; may be repeated')
            [CompletionResult]::new('-s', '-s', [CompletionResultType]::ParameterName, 'Offer a subprotocol; may be repeated, best first')
            [CompletionResult]::new('--subprotocol', '--subprotocol', [CompletionResultType]::ParameterName, 'Offer a subprotocol; may be repeated, best first')
            [CompletionResult]::new('-o', '-o', [CompletionResultType]::ParameterName, 'Send an Origin header, as a browser does')
            [CompletionResult]::new('--origin', '--origin', [CompletionResultType]::ParameterName, 'Send an Origin header, as a browser does')
            [CompletionResult]::new('--handshake-timeout', '--handshake-timeout', [CompletionResultType]::ParameterName, 'Wait at most SECS for TLS and the server''s response')
            [CompletionResult]::new('--connect-timeout', '--connect-timeout', [CompletionResultType]::ParameterName, 'Wait at most SECS for the name and a TCP connection')
            [CompletionResult]::new('--cacert', '--cacert', [CompletionResultType]::ParameterName, 'Trust the certificates in a PEM file too')
            [CompletionResult]::new('--server-max-window-bits', '--server-max-window-bits', [CompletionResultType]::ParameterName, 'Ask the server to compress with a window of 2^BITS bytes, 8 to 15')
            [CompletionResult]::new('--client-max-window-bits', '--client-max-window-bits', [CompletionResultType]::ParameterName, 'Hint that this side will use a window of 2^BITS bytes, 8 to 15')
            [CompletionResult]::new('--input', '--input', [CompletionResultType]::ParameterName, 'How stdin becomes messages')
            [CompletionResult]::new('--output', '--output', [CompletionResultType]::ParameterName, 'What is written to stdout')
            [CompletionResult]::new('-x', '-x', [CompletionResultType]::ParameterName, 'Send MESSAGE after connecting; may be given more than once')
            [CompletionResult]::new('--execute', '--execute', [CompletionResultType]::ParameterName, 'Send MESSAGE after connecting; may be given more than once')
            [CompletionResult]::new('-w', '-w', [CompletionResultType]::ParameterName, 'After the input''s end, stay until the peer is silent for SECS [default: 1]')
            [CompletionResult]::new('--linger', '--linger', [CompletionResultType]::ParameterName, 'After the input''s end, stay until the peer is silent for SECS [default: 1]')
            [CompletionResult]::new('--wait', '--wait', [CompletionResultType]::ParameterName, 'After the input''s end, stay until the peer is silent for SECS [default: 1]')
            [CompletionResult]::new('--exit-after', '--exit-after', [CompletionResultType]::ParameterName, 'Close after N received messages')
            [CompletionResult]::new('--until', '--until', [CompletionResultType]::ParameterName, 'Close after a received message that matches REGEX')
            [CompletionResult]::new('--max-time', '--max-time', [CompletionResultType]::ParameterName, 'End after SECS, whatever happens, with status 12')
            [CompletionResult]::new('--close-timeout', '--close-timeout', [CompletionResultType]::ParameterName, 'Wait at most SECS for the answer to our Close')
            [CompletionResult]::new('--ping-interval', '--ping-interval', [CompletionResultType]::ParameterName, 'Send a ping every SECS')
            [CompletionResult]::new('--pong-timeout', '--pong-timeout', [CompletionResultType]::ParameterName, 'After a ping, wait at most SECS for any byte')
            [CompletionResult]::new('--max-message', '--max-message', [CompletionResultType]::ParameterName, 'Fail with 1009 when a message has more bytes on the wire')
            [CompletionResult]::new('--max-inflated', '--max-inflated', [CompletionResultType]::ParameterName, 'Fail with 1009 when a compressed message inflates to more bytes')
            [CompletionResult]::new('--color', '--color', [CompletionResultType]::ParameterName, 'When to use colours')
            [CompletionResult]::new('-4', '-4', [CompletionResultType]::ParameterName, 'Use IPv4 only')
            [CompletionResult]::new('--ipv4', '--ipv4', [CompletionResultType]::ParameterName, 'Use IPv4 only')
            [CompletionResult]::new('-6', '-6', [CompletionResultType]::ParameterName, 'Use IPv6 only')
            [CompletionResult]::new('--ipv6', '--ipv6', [CompletionResultType]::ParameterName, 'Use IPv6 only')
            [CompletionResult]::new('-k', '-k', [CompletionResultType]::ParameterName, 'Accept any TLS certificate')
            [CompletionResult]::new('--insecure', '--insecure', [CompletionResultType]::ParameterName, 'Accept any TLS certificate')
            [CompletionResult]::new('--no-compress', '--no-compress', [CompletionResultType]::ParameterName, 'Do not offer permessage-deflate')
            [CompletionResult]::new('--server-no-context-takeover', '--server-no-context-takeover', [CompletionResultType]::ParameterName, 'Ask the server to compress each message by itself')
            [CompletionResult]::new('--client-no-context-takeover', '--client-no-context-takeover', [CompletionResultType]::ParameterName, 'Say that this side compresses each message by itself')
            [CompletionResult]::new('-b', '-b', [CompletionResultType]::ParameterName, 'Send binary messages instead of text')
            [CompletionResult]::new('--binary', '--binary', [CompletionResultType]::ParameterName, 'Send binary messages instead of text')
            [CompletionResult]::new('--echo', '--echo', [CompletionResultType]::ParameterName, 'Send every received message back unchanged; stdin is not read')
            [CompletionResult]::new('--no-pong', '--no-pong', [CompletionResultType]::ParameterName, 'Do not answer pings')
            [CompletionResult]::new('--lenient', '--lenient', [CompletionResultType]::ParameterName, 'Report violations but go on, as long as frames can be told apart')
            [CompletionResult]::new('-v', '-v', [CompletionResultType]::ParameterName, 'Show handshake and frames on stderr; -vv adds hex of every header and payload')
            [CompletionResult]::new('--verbose', '--verbose', [CompletionResultType]::ParameterName, 'Show handshake and frames on stderr; -vv adds hex of every header and payload')
            [CompletionResult]::new('-q', '-q', [CompletionResultType]::ParameterName, 'Show nothing but errors beside the output')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'Show nothing but errors beside the output')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('-V', '-V ', [CompletionResultType]::ParameterName, 'Print version')
            [CompletionResult]::new('--version', '--version', [CompletionResultType]::ParameterName, 'Print version')
            [CompletionResult]::new('connect', 'connect', [CompletionResultType]::ParameterValue, 'Connects to a server: a transcript on a terminal, a pipe otherwise')
            [CompletionResult]::new('handshake', 'handshake', [CompletionResultType]::ParameterValue, 'Performs only the opening handshake and judges it, rule by rule')
            [CompletionResult]::new('decode', 'decode', [CompletionResultType]::ParameterValue, 'Decodes captured bytes into frames, without a network')
            [CompletionResult]::new('explain', 'explain', [CompletionResultType]::ParameterValue, 'Explains a diagnostic, a close code, or what a browser says of a failure')
            [CompletionResult]::new('demo', 'demo', [CompletionResultType]::ParameterValue, 'Shows a session with an echo server inside the process')
            [CompletionResult]::new('completions', 'completions', [CompletionResultType]::ParameterValue, 'Prints the completion script of a shell')
            [CompletionResult]::new('man', 'man', [CompletionResultType]::ParameterValue, 'Prints the manual page, in roff: `wscope man | man -l -`')
            break
        }
        'wscope;connect' {
            [CompletionResult]::new('-c', '-c', [CompletionResultType]::ParameterName, 'Same as URL, for those used to wscat')
            [CompletionResult]::new('--connect', '--connect', [CompletionResultType]::ParameterName, 'Same as URL, for those used to wscat')
            [CompletionResult]::new('-H', '-H ', [CompletionResultType]::ParameterName, 'Add a header, or replace a default one of the same name; may be repeated')
            [CompletionResult]::new('--header', '--header', [CompletionResultType]::ParameterName, 'Add a header, or replace a default one of the same name; may be repeated')
            [CompletionResult]::new('-s', '-s', [CompletionResultType]::ParameterName, 'Offer a subprotocol; may be repeated, best first')
            [CompletionResult]::new('--subprotocol', '--subprotocol', [CompletionResultType]::ParameterName, 'Offer a subprotocol; may be repeated, best first')
            [CompletionResult]::new('-o', '-o', [CompletionResultType]::ParameterName, 'Send an Origin header, as a browser does')
            [CompletionResult]::new('--origin', '--origin', [CompletionResultType]::ParameterName, 'Send an Origin header, as a browser does')
            [CompletionResult]::new('--handshake-timeout', '--handshake-timeout', [CompletionResultType]::ParameterName, 'Wait at most SECS for TLS and the server''s response')
            [CompletionResult]::new('--connect-timeout', '--connect-timeout', [CompletionResultType]::ParameterName, 'Wait at most SECS for the name and a TCP connection')
            [CompletionResult]::new('--cacert', '--cacert', [CompletionResultType]::ParameterName, 'Trust the certificates in a PEM file too')
            [CompletionResult]::new('--server-max-window-bits', '--server-max-window-bits', [CompletionResultType]::ParameterName, 'Ask the server to compress with a window of 2^BITS bytes, 8 to 15')
            [CompletionResult]::new('--client-max-window-bits', '--client-max-window-bits', [CompletionResultType]::ParameterName, 'Hint that this side will use a window of 2^BITS bytes, 8 to 15')
            [CompletionResult]::new('--input', '--input', [CompletionResultType]::ParameterName, 'How stdin becomes messages')
            [CompletionResult]::new('--output', '--output', [CompletionResultType]::ParameterName, 'What is written to stdout')
            [CompletionResult]::new('-x', '-x', [CompletionResultType]::ParameterName, 'Send MESSAGE after connecting; may be given more than once')
            [CompletionResult]::new('--execute', '--execute', [CompletionResultType]::ParameterName, 'Send MESSAGE after connecting; may be given more than once')
            [CompletionResult]::new('-w', '-w', [CompletionResultType]::ParameterName, 'After the input''s end, stay until the peer is silent for SECS [default: 1]')
            [CompletionResult]::new('--linger', '--linger', [CompletionResultType]::ParameterName, 'After the input''s end, stay until the peer is silent for SECS [default: 1]')
            [CompletionResult]::new('--wait', '--wait', [CompletionResultType]::ParameterName, 'After the input''s end, stay until the peer is silent for SECS [default: 1]')
            [CompletionResult]::new('--exit-after', '--exit-after', [CompletionResultType]::ParameterName, 'Close after N received messages')
            [CompletionResult]::new('--until', '--until', [CompletionResultType]::ParameterName, 'Close after a received message that matches REGEX')
            [CompletionResult]::new('--max-time', '--max-time', [CompletionResultType]::ParameterName, 'End after SECS, whatever happens, with status 12')
            [CompletionResult]::new('--close-timeout', '--close-timeout', [CompletionResultType]::ParameterName, 'Wait at most SECS for the answer to our Close')
            [CompletionResult]::new('--ping-interval', '--ping-interval', [CompletionResultType]::ParameterName, 'Send a ping every SECS')
            [CompletionResult]::new('--pong-timeout', '--pong-timeout', [CompletionResultType]::ParameterName, 'After a ping, wait at most SECS for any byte')
            [CompletionResult]::new('--max-message', '--max-message', [CompletionResultType]::ParameterName, 'Fail with 1009 when a message has more bytes on the wire')
            [CompletionResult]::new('--max-inflated', '--max-inflated', [CompletionResultType]::ParameterName, 'Fail with 1009 when a compressed message inflates to more bytes')
            [CompletionResult]::new('--color', '--color', [CompletionResultType]::ParameterName, 'When to use colours')
            [CompletionResult]::new('-4', '-4', [CompletionResultType]::ParameterName, 'Use IPv4 only')
            [CompletionResult]::new('--ipv4', '--ipv4', [CompletionResultType]::ParameterName, 'Use IPv4 only')
            [CompletionResult]::new('-6', '-6', [CompletionResultType]::ParameterName, 'Use IPv6 only')
            [CompletionResult]::new('--ipv6', '--ipv6', [CompletionResultType]::ParameterName, 'Use IPv6 only')
            [CompletionResult]::new('-k', '-k', [CompletionResultType]::ParameterName, 'Accept any TLS certificate')
            [CompletionResult]::new('--insecure', '--insecure', [CompletionResultType]::ParameterName, 'Accept any TLS certificate')
            [CompletionResult]::new('--no-compress', '--no-compress', [CompletionResultType]::ParameterName, 'Do not offer permessage-deflate')
            [CompletionResult]::new('--server-no-context-takeover', '--server-no-context-takeover', [CompletionResultType]::ParameterName, 'Ask the server to compress each message by itself')
            [CompletionResult]::new('--client-no-context-takeover', '--client-no-context-takeover', [CompletionResultType]::ParameterName, 'Say that this side compresses each message by itself')
            [CompletionResult]::new('-b', '-b', [CompletionResultType]::ParameterName, 'Send binary messages instead of text')
            [CompletionResult]::new('--binary', '--binary', [CompletionResultType]::ParameterName, 'Send binary messages instead of text')
            [CompletionResult]::new('--echo', '--echo', [CompletionResultType]::ParameterName, 'Send every received message back unchanged; stdin is not read')
            [CompletionResult]::new('--no-pong', '--no-pong', [CompletionResultType]::ParameterName, 'Do not answer pings')
            [CompletionResult]::new('--lenient', '--lenient', [CompletionResultType]::ParameterName, 'Report violations but go on, as long as frames can be told apart')
            [CompletionResult]::new('-v', '-v', [CompletionResultType]::ParameterName, 'Show handshake and frames on stderr; -vv adds hex of every header and payload')
            [CompletionResult]::new('--verbose', '--verbose', [CompletionResultType]::ParameterName, 'Show handshake and frames on stderr; -vv adds hex of every header and payload')
            [CompletionResult]::new('-q', '-q', [CompletionResultType]::ParameterName, 'Show nothing but errors beside the output')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'Show nothing but errors beside the output')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            break
        }
        'wscope;handshake' {
            [CompletionResult]::new('-H', '-H ', [CompletionResultType]::ParameterName, 'Add a header, or replace a default one of the same name; may be repeated')
            [CompletionResult]::new('--header', '--header', [CompletionResultType]::ParameterName, 'Add a header, or replace a default one of the same name; may be repeated')
            [CompletionResult]::new('-s', '-s', [CompletionResultType]::ParameterName, 'Offer a subprotocol; may be repeated, best first')
            [CompletionResult]::new('--subprotocol', '--subprotocol', [CompletionResultType]::ParameterName, 'Offer a subprotocol; may be repeated, best first')
            [CompletionResult]::new('-o', '-o', [CompletionResultType]::ParameterName, 'Send an Origin header, as a browser does')
            [CompletionResult]::new('--origin', '--origin', [CompletionResultType]::ParameterName, 'Send an Origin header, as a browser does')
            [CompletionResult]::new('--handshake-timeout', '--handshake-timeout', [CompletionResultType]::ParameterName, 'Wait at most SECS for TLS and the server''s response')
            [CompletionResult]::new('--connect-timeout', '--connect-timeout', [CompletionResultType]::ParameterName, 'Wait at most SECS for the name and a TCP connection')
            [CompletionResult]::new('--cacert', '--cacert', [CompletionResultType]::ParameterName, 'Trust the certificates in a PEM file too')
            [CompletionResult]::new('--server-max-window-bits', '--server-max-window-bits', [CompletionResultType]::ParameterName, 'Ask the server to compress with a window of 2^BITS bytes, 8 to 15')
            [CompletionResult]::new('--client-max-window-bits', '--client-max-window-bits', [CompletionResultType]::ParameterName, 'Hint that this side will use a window of 2^BITS bytes, 8 to 15')
            [CompletionResult]::new('--output', '--output', [CompletionResultType]::ParameterName, 'What is written to stdout')
            [CompletionResult]::new('--color', '--color', [CompletionResultType]::ParameterName, 'When to use colours')
            [CompletionResult]::new('-4', '-4', [CompletionResultType]::ParameterName, 'Use IPv4 only')
            [CompletionResult]::new('--ipv4', '--ipv4', [CompletionResultType]::ParameterName, 'Use IPv4 only')
            [CompletionResult]::new('-6', '-6', [CompletionResultType]::ParameterName, 'Use IPv6 only')
            [CompletionResult]::new('--ipv6', '--ipv6', [CompletionResultType]::ParameterName, 'Use IPv6 only')
            [CompletionResult]::new('-k', '-k', [CompletionResultType]::ParameterName, 'Accept any TLS certificate')
            [CompletionResult]::new('--insecure', '--insecure', [CompletionResultType]::ParameterName, 'Accept any TLS certificate')
            [CompletionResult]::new('--no-compress', '--no-compress', [CompletionResultType]::ParameterName, 'Do not offer permessage-deflate')
            [CompletionResult]::new('--server-no-context-takeover', '--server-no-context-takeover', [CompletionResultType]::ParameterName, 'Ask the server to compress each message by itself')
            [CompletionResult]::new('--client-no-context-takeover', '--client-no-context-takeover', [CompletionResultType]::ParameterName, 'Say that this side compresses each message by itself')
            [CompletionResult]::new('--strict', '--strict', [CompletionResultType]::ParameterName, 'Let a broken SHOULD, and not only a broken MUST, decide the exit status')
            [CompletionResult]::new('-v', '-v', [CompletionResultType]::ParameterName, 'Show handshake and frames on stderr; -vv adds hex of every header and payload')
            [CompletionResult]::new('--verbose', '--verbose', [CompletionResultType]::ParameterName, 'Show handshake and frames on stderr; -vv adds hex of every header and payload')
            [CompletionResult]::new('-q', '-q', [CompletionResultType]::ParameterName, 'Show nothing but errors beside the output')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'Show nothing but errors beside the output')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            break
        }
        'wscope;decode' {
            [CompletionResult]::new('--hex', '--hex', [CompletionResultType]::ParameterName, 'Decode these hex digits instead of a file')
            [CompletionResult]::new('--role', '--role', [CompletionResultType]::ParameterName, 'Who sent the bytes [default: told from the handshake or the first frame''s mask]')
            [CompletionResult]::new('--output', '--output', [CompletionResultType]::ParameterName, 'What is written to stdout')
            [CompletionResult]::new('--max-message', '--max-message', [CompletionResultType]::ParameterName, 'Fail with 1009 when a message has more bytes on the wire')
            [CompletionResult]::new('--max-inflated', '--max-inflated', [CompletionResultType]::ParameterName, 'Fail with 1009 when a compressed message inflates to more bytes')
            [CompletionResult]::new('--color', '--color', [CompletionResultType]::ParameterName, 'When to use colours')
            [CompletionResult]::new('--raw', '--raw', [CompletionResultType]::ParameterName, 'Take the input as bytes, not as hex')
            [CompletionResult]::new('--deflate', '--deflate', [CompletionResultType]::ParameterName, 'Inflate compressed messages: the capture begins after a handshake that agreed on it')
            [CompletionResult]::new('-v', '-v', [CompletionResultType]::ParameterName, 'Show handshake and frames on stderr; -vv adds hex of every header and payload')
            [CompletionResult]::new('--verbose', '--verbose', [CompletionResultType]::ParameterName, 'Show handshake and frames on stderr; -vv adds hex of every header and payload')
            [CompletionResult]::new('-q', '-q', [CompletionResultType]::ParameterName, 'Show nothing but errors beside the output')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'Show nothing but errors beside the output')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            break
        }
        'wscope;explain' {
            [CompletionResult]::new('--browser', '--browser', [CompletionResultType]::ParameterName, 'Explain what a browser''s console or Node.js says of a failure')
            [CompletionResult]::new('--color', '--color', [CompletionResultType]::ParameterName, 'When to use colours')
            [CompletionResult]::new('--list', '--list', [CompletionResultType]::ParameterName, 'List all diagnostics')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            break
        }
        'wscope;demo' {
            [CompletionResult]::new('--color', '--color', [CompletionResultType]::ParameterName, 'When to use colours')
            [CompletionResult]::new('-v', '-v', [CompletionResultType]::ParameterName, 'Show handshake and frames on stderr; -vv adds hex of every header and payload')
            [CompletionResult]::new('--verbose', '--verbose', [CompletionResultType]::ParameterName, 'Show handshake and frames on stderr; -vv adds hex of every header and payload')
            [CompletionResult]::new('-q', '-q', [CompletionResultType]::ParameterName, 'Show nothing but errors beside the output')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'Show nothing but errors beside the output')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            break
        }
        'wscope;completions' {
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help')
            break
        }
        'wscope;man' {
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help')
            break
        }
    })

    $completions.Where{ $_.CompletionText -like "$wordToComplete*" } |
        Sort-Object -Property ListItemText
}
