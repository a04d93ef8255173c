//! SOCKS5 (RFC 1928) with user and password (RFC 1929).

use std::net::IpAddr;

use super::{Asked, Credentials, Destination, DialogueProgress, ProxyError};

/// RFC 1928 §3: the supported methods.
const NO_AUTHENTICATION: u8 = 0;
const USERNAME_PASSWORD: u8 = 2;
const NO_ACCEPTABLE_METHODS: u8 = 0xff;

/// The dialogue, message by message.
pub(super) struct Socks5 {
    pub(super) output: Vec<u8>,
    state: Socks5State,
    /// The message that is arriving.
    message: Vec<u8>,
    request: Vec<u8>,
    /// The message of RFC 1929 §2, if there are credentials.
    login: Option<Vec<u8>>,
}

enum Socks5State {
    Method,
    Login,
    Reply,
    Open,
    Failed(ProxyError),
}

impl Socks5 {
    pub(super) fn new(
        destination: &Destination,
        credentials: Option<&Credentials>,
    ) -> Result<Self, ProxyError> {
        let login = credentials.map(login).transpose()?;
        let output = match login {
            Some(_) => vec![5, 2, NO_AUTHENTICATION, USERNAME_PASSWORD],
            None => vec![5, 1, NO_AUTHENTICATION],
        };
        let request = request(destination)?;
        Ok(Self { output, state: Socks5State::Method, message: Vec::new(), request, login })
    }

    pub(super) fn feed(&mut self, bytes: &[u8]) -> Result<DialogueProgress, ProxyError> {
        let mut consumed = 0;
        // Byte by byte: the longest message has 262 bytes, and no byte after the last message may
        // be taken.
        for byte in bytes {
            if matches!(self.state, Socks5State::Open | Socks5State::Failed(_)) {
                break;
            }
            consumed += 1;
            self.message.push(*byte);
            if let Err(error) = self.step() {
                self.state = Socks5State::Failed(error);
            }
        }
        match &self.state {
            Socks5State::Failed(error) => Err(error.clone()),
            state => Ok(DialogueProgress { consumed, open: matches!(state, Socks5State::Open) }),
        }
    }

    /// The request that the proxy must answer now, and how many bytes of the answer have arrived.
    pub(super) fn asked(&self) -> (usize, Asked) {
        let asked = match self.state {
            Socks5State::Method => Asked::Greeting { credentials: self.login.is_some() },
            Socks5State::Login => Asked::Login,
            _ => Asked::Socks5,
        };
        (self.message.len(), asked)
    }

    /// Examines the message so far; acts when it is complete.
    fn step(&mut self) -> Result<(), ProxyError> {
        match (&self.state, &self.message[..]) {
            // RFC 1928 §3: VER, METHOD.
            (Socks5State::Method, [5, method]) => {
                match (*method, &mut self.login) {
                    (NO_AUTHENTICATION, _) => self.ask(),
                    (USERNAME_PASSWORD, Some(login)) => {
                        self.output.append(login);
                        self.state = Socks5State::Login;
                    }
                    (USERNAME_PASSWORD | NO_ACCEPTABLE_METHODS, login) => {
                        return Err(ProxyError::SocksUnauthorized { sent: login.is_some() });
                    }
                    (found, _) => {
                        return Err(wrong("the method chosen", found, "one that was offered"));
                    }
                }
                self.message.clear();
            }
            // RFC 1929 §2: VER, STATUS. "A STATUS field of X'00' indicates success. If the server
            // returns a `failure' (STATUS value other than X'00') status, it MUST close the
            // connection."
            (Socks5State::Login, [1, 0]) => {
                self.message.clear();
                self.ask();
            }
            (Socks5State::Login, [1, _]) => {
                return Err(ProxyError::SocksUnauthorized { sent: true });
            }
            // Some servers send the version of SOCKS here, which curl and others accept. The
            // following bytes confirm this.
            (Socks5State::Login, [5, 0]) => {
                self.message.clear();
                self.ask();
            }
            (Socks5State::Login, [5, _]) => {
                return Err(ProxyError::SocksUnauthorized { sent: true });
            }
            (Socks5State::Login, [1 | 5]) => {}
            (Socks5State::Login, [found, ..]) => {
                return Err(wrong("the version of the login's answer", *found, "1"));
            }
            // RFC 1928 §6: VER, REP, RSV, ATYP, BND.ADDR, BND.PORT.
            (Socks5State::Reply, [5, code]) if *code != 0 => {
                return Err(ProxyError::SocksRefused { version: 5, code: *code });
            }
            (Socks5State::Reply, [5, 0, _, kind, rest @ ..]) => {
                let length = match (*kind, rest) {
                    (1, _) => 4 + 2,
                    (4, _) => 16 + 2,
                    (3, []) => return Ok(()),
                    (3, [length, ..]) => 1 + usize::from(*length) + 2,
                    (found, _) => return Err(wrong("the address type", found, "1, 3 or 4")),
                };
                if rest.len() == length {
                    self.state = Socks5State::Open;
                }
            }
            (Socks5State::Method | Socks5State::Reply, [5, ..]) => {}
            (_, [found, ..]) => return Err(wrong("the version", *found, "5")),
            (_, []) => {}
        }
        Ok(())
    }

    fn ask(&mut self) {
        self.output.append(&mut self.request);
        self.state = Socks5State::Reply;
    }
}

fn wrong(what: &'static str, found: u8, expected: &'static str) -> ProxyError {
    ProxyError::NotSocks { version: 5, what, found, expected }
}

/// RFC 1929 §2: VER, ULEN, UNAME, PLEN, PASSWD.
fn login(credentials: &Credentials) -> Result<Vec<u8>, ProxyError> {
    let Credentials { user, password } = credentials;
    let mut message = vec![1];
    for (field, what) in [
        (user, "an empty user name, or one of more than 255 bytes"),
        (password, "a password of more than 255 bytes"),
    ] {
        let length = u8::try_from(field.len()).map_err(|_| unspeakable(what))?;
        message.push(length);
        message.extend_from_slice(field);
    }
    // "UNAME: 1 to 255". An empty password breaks the same rule, but servers accept it.
    if user.is_empty() {
        return Err(unspeakable("an empty user name, or one of more than 255 bytes"));
    }
    Ok(message)
}

/// RFC 1928 §4: VER, CMD (CONNECT), RSV, ATYP, DST.ADDR, DST.PORT.
fn request(destination: &Destination) -> Result<Vec<u8>, ProxyError> {
    let mut message = vec![5, 1, 0];
    match destination.host.parse() {
        Ok(IpAddr::V4(address)) => {
            message.push(1);
            message.extend(address.octets());
        }
        Ok(IpAddr::V6(address)) => {
            message.push(4);
            message.extend(address.octets());
        }
        Err(_) => {
            let what = "an empty host name, or one of more than 255 bytes";
            let length = u8::try_from(destination.host.len()).ok().filter(|length| *length > 0);
            message.extend([3, length.ok_or(unspeakable(what))?]);
            message.extend(destination.host.bytes());
        }
    }
    message.extend(destination.port.to_be_bytes());
    Ok(message)
}

fn unspeakable(what: &'static str) -> ProxyError {
    ProxyError::Unspeakable { protocol: "SOCKS5", what }
}
