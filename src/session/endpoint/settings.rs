//! How an endpoint behaves: what is set at its beginning, and what can be changed while it runs.

use std::sync::Arc;
use std::time::{Duration, Instant};

use super::Endpoint;
use crate::wire::Role;
use crate::wire::deflate::params::DeflateParams;

/// What an endpoint is and how it behaves.
#[derive(Clone, Debug)]
pub struct EndpointConfig {
    /// Client or server.
    pub role: Role,
    /// Report violations, but go on as long as frame boundaries can be found.
    pub lenient: bool,
    /// How pings are answered. Withholding pongs is for tests of the peer.
    pub auto_pong: AutoPong,
    /// Answer a Close. Withholding the answer is for tests of the peer.
    pub auto_close: bool,
    /// How long to wait for the answer to our Close.
    pub close_timeout: Duration,
    /// Send a ping this often.
    pub ping_interval: Option<Duration>,
    /// After a ping, how long to wait for any byte.
    pub pong_timeout: Duration,
    /// How long nothing may cross in either direction; `None` for ever.
    pub idle_timeout: Option<Duration>,
    /// Compress messages where that was agreed.
    pub compress: bool,
    /// The compression that was agreed.
    pub deflate: Option<DeflateParams>,
}

impl EndpointConfig {
    /// The defaults for a role: strict, pongs sent, five seconds for a Close, no pings of its own.
    pub fn new(role: Role) -> Self {
        Self {
            role,
            lenient: false,
            auto_pong: AutoPong::On,
            auto_close: true,
            close_timeout: Duration::from_secs(5),
            ping_interval: None,
            pong_timeout: Duration::from_secs(20),
            idle_timeout: None,
            compress: true,
            deflate: None,
        }
    }
}

/// How pings are answered.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum AutoPong {
    /// At once.
    #[default]
    On,
    /// Not.
    Off,
    /// After so long.
    Delay(Duration),
}

impl Endpoint {
    /// Client or server.
    pub fn role(&self) -> Role {
        self.config.role
    }

    /// The compression that was agreed.
    pub fn deflate(&self) -> Option<&DeflateParams> {
        self.config.deflate.as_ref()
    }

    /// How long nothing may cross in either direction. Whoever moves the bytes measures it.
    pub fn idle_timeout(&self) -> Option<Duration> {
        self.config.idle_timeout
    }

    /// How long it has been open at `now`.
    pub fn age(&self, now: Instant) -> Duration {
        now.saturating_duration_since(self.opened)
    }

    /// How pings are answered.
    pub fn auto_pong(&self) -> AutoPong {
        self.config.auto_pong
    }

    /// Chooses how pings are answered from now on. Pongs that wait keep their time, but
    /// [`AutoPong::Off`] forgets them.
    pub fn set_auto_pong(&mut self, mode: AutoPong) {
        if mode == AutoPong::Off {
            self.forget_pongs();
        }
        Arc::make_mut(&mut self.config).auto_pong = mode;
    }

    /// How many pongs wait for their time.
    pub fn pongs_waiting(&self) -> usize {
        self.pings.as_ref().map_or(0, |pings| pings.waiting())
    }

    /// Whether a Close is answered.
    pub fn auto_close(&self) -> bool {
        self.config.auto_close
    }

    /// Chooses whether a Close that is still to come will be answered.
    ///
    /// Without the answer this departs from "an endpoint … MUST send a Close frame in response"
    /// (RFC 6455 §5.5.1): the state stays [`State::Open`](super::State::Open), data and control
    /// frames can still be sent, nothing more that comes is acted on, and no deadline runs. The
    /// Close stays unanswered until [`Endpoint::close`] or the like completes the closing
    /// handshake; turning this on again does not do it.
    pub fn set_auto_close(&mut self, on: bool) {
        Arc::make_mut(&mut self.config).auto_close = on;
    }

    /// Whether messages are compressed; `None` if permessage-deflate was not agreed. Never if the
    /// agreed window is one of 8 bits, which is not written here.
    pub fn compresses(&self) -> Option<bool> {
        let agreed = self.config.deflate.is_some();
        agreed.then_some(self.config.compress && self.compressor.is_some())
    }

    /// Chooses whether messages are compressed from the next one on, where that was agreed: each
    /// message can do as it likes, and RSV1 "indicates whether a message is compressed or not"
    /// (RFC 7692 §6).
    pub fn set_compress(&mut self, on: bool) {
        Arc::make_mut(&mut self.config).compress = on;
    }

    /// Whether a fragmented message of ours lacks its last frame: data sent now continues it.
    pub fn is_fragmenting(&self) -> bool {
        self.fragmenting
    }
}
