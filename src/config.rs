//! Turns the typed command line into the configuration of a mode, and checks every value.

pub mod ask;
mod bad_value;
mod connect;
pub mod credentials;
pub mod defaults;
mod display;
pub mod environment;
pub mod fault;
pub mod file;
mod forward;
pub mod from_curl;
pub mod invocation;
pub mod lens;
pub mod lines;
mod listen;
pub mod mistyped;
pub mod netrc;
pub mod open;
mod ping;
pub mod plan;
mod proxy;
pub mod reach;
pub mod recorded;
mod replay;
pub mod rule;
pub mod transport;
pub mod trust;
mod usage;

pub use connect::ClientConfig;
pub use display::Display;
pub use environment::expand_home;
pub use fault::Faults;
pub use forward::ForwardConfig;
pub use lens::LensConfig;
pub use lines::{LineConfig, TrafficConfig};
pub use listen::{
    GreetingSource, ListenBehaviour, ListenConfig, MockConfig, TlsConfig,
    parse_address as listen_address, server_tls,
};
pub use open::{Login, OpenConfig};
pub use ping::{PingConfig, PingPlan};
pub use proxy::ProxyConfig;
pub use replay::{ReplayConfig, ReplayOptions, ReplayPace};
pub use usage::{UsageError, check_raw, header_lines, limits};
