//! The dialogue with a SOCKS5 client, until it has named its destination.

use std::time::Instant;

use super::wanted::server;
use crate::config::ForwardConfig;
use crate::engine::open_error::OpenError;
use crate::net::dial::AttemptOutcome;
use crate::net::link::SocketLink;
use crate::net::target::Target;
use crate::ui::sanitize::escaped;
use crate::wire::socks::{self, Read, SocksReply, method};

/// More bytes than the longest messages together.
const MOST: usize = 1024;

/// A client that uses SOCKS5.
pub struct Socks {
    /// The client.
    pub link: SocketLink,
    /// The deadline for its request.
    pub until: Instant,
    step: SocksStep,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum SocksStep {
    Greeting,
    Login,
    Request,
}

/// The progress of the dialogue.
pub enum SocksProgress {
    /// It must wait.
    Pending,
    /// It wants to reach this server.
    Asked(Target),
    /// The dialogue failed, for this reason; a last answer may wait to be sent.
    Failed(String),
}

impl Socks {
    /// Begins with the first byte, which was seen but not consumed.
    pub fn new(link: SocketLink, until: Instant) -> Self {
        Self { link, until, step: SocksStep::Greeting }
    }

    /// Advances as far as possible without waiting.
    pub fn turn(&mut self, config: &ForwardConfig, now: Instant) -> SocksProgress {
        if self.link.may_read_ahead(MOST)
            && let Err(error) = self.link.read_ahead(MOST)
        {
            return SocksProgress::Failed(error.to_string());
        }
        let progress = loop {
            match self.step(config) {
                Ok(Some(target)) => break SocksProgress::Asked(target),
                Ok(None) => break SocksProgress::Pending,
                Err(None) => {}
                Err(Some(why)) => break SocksProgress::Failed(why),
            }
        };
        match progress {
            SocksProgress::Pending if self.link.has_ended_ahead() => SocksProgress::Failed(
                "it closed the connection during its SOCKS5 request".to_owned(),
            ),
            SocksProgress::Pending if self.until <= now => SocksProgress::Failed(
                "no complete SOCKS5 request within the handshake timeout".to_owned(),
            ),
            SocksProgress::Pending => match self.link.flush() {
                Ok(()) => SocksProgress::Pending,
                Err(error) => SocksProgress::Failed(error.to_string()),
            },
            progress => progress,
        }
    }

    /// Takes a message. `Err(None)` if another message may follow.
    fn step(&mut self, config: &ForwardConfig) -> Result<Option<Target>, Option<String>> {
        match self.step {
            SocksStep::Greeting => {
                let methods = self.message(socks::greeting)?;
                let Some(methods) = methods else { return Ok(None) };
                let wanted = match config.authorization {
                    Some(_) => [method::LOGIN].as_slice(),
                    // A client with a user name may insist on sending it.
                    None => &[method::NONE, method::LOGIN],
                };
                let chosen = wanted.iter().find(|wanted| methods.contains(wanted));
                self.link.tx.extend([socks::VERSION, *chosen.unwrap_or(&method::REFUSED)]);
                self.step = match chosen {
                    Some(&method::NONE) => SocksStep::Request,
                    Some(_) => SocksStep::Login,
                    None if config.authorization.is_some() => {
                        let text = "it sent no user and password, which this proxy requires";
                        return Err(Some(text.to_owned()));
                    }
                    None => {
                        return Err(Some(
                            "it offers no SOCKS5 method that this proxy supports".to_owned(),
                        ));
                    }
                };
            }
            SocksStep::Login => {
                let Some((user, password)) = self.message(socks::login)? else {
                    return Ok(None);
                };
                let accepted = config.lets_in(&user, &password);
                self.link.tx.extend([1, u8::from(!accepted)]);
                if !accepted {
                    let text = "the user or the password is wrong";
                    return Err(Some(text.to_owned()));
                }
                self.step = SocksStep::Request;
            }
            SocksStep::Request => {
                let Some(wanted) = self.message(socks::request)? else { return Ok(None) };
                let target = server(&wanted.host, wanted.port);
                return target.map(Some).ok_or_else(|| {
                    self.link.tx.extend(socks::reply(SocksReply::Failure, None));
                    let host = escaped(wanted.host.as_bytes());
                    Some(format!("there is no server at \"{host}\" port {}", wanted.port))
                });
            }
        }
        Err(None)
    }

    /// Whether another turn could do something without an event.
    pub fn wants_turn(&self) -> bool {
        self.link.may_read_ahead(MOST)
    }

    fn message<T>(&mut self, read: fn(&[u8]) -> Read<T>) -> Result<Option<T>, Option<String>> {
        match read(self.link.set_back()) {
            Read::More => Ok(None),
            Read::Whole(value, length) => {
                self.link.skip(length);
                Ok(Some(value))
            }
            Read::Wrong(text, reply) => {
                if let Some(reply) = reply {
                    self.link.tx.extend(socks::reply(reply, None));
                }
                Err(Some(text))
            }
        }
    }
}

/// The reply with the reason why a server was not reached.
pub fn reply_of(error: &OpenError) -> SocksReply {
    use std::io::ErrorKind;
    match error {
        OpenError::Loop(_) => SocksReply::NotAllowed,
        OpenError::Resolve { .. } | OpenError::TimedOut { .. } => SocksReply::HostUnreachable,
        OpenError::Dial(error) => {
            let mut kinds = error.attempts.iter().map(|attempt| match &attempt.outcome {
                AttemptOutcome::Failed(error) => error.kind(),
                _ => ErrorKind::TimedOut,
            });
            match kinds.next_back() {
                Some(ErrorKind::ConnectionRefused) => SocksReply::Refused,
                Some(ErrorKind::NetworkUnreachable) => SocksReply::NetworkUnreachable,
                Some(ErrorKind::HostUnreachable | ErrorKind::TimedOut) => {
                    SocksReply::HostUnreachable
                }
                _ => SocksReply::Failure,
            }
        }
        _ => SocksReply::Failure,
    }
}
