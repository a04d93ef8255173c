//! From a URL to a pipe of plaintext bytes: names, addresses, TCP and TLS; and the loop that
//! waits for sockets, stdin and stdout at once.
//!
//! This layer owns sockets and clocks. It must not know printers, prompts or
//! what the bytes mean.
pub mod authority;
pub mod certificate;
pub mod child;
pub mod client_hello;
pub mod clock;
pub mod coprocess;
pub mod dial;
pub mod facts;
pub mod files;
pub mod first_bytes;
pub mod link;
pub mod listener;
pub mod overrides;
pub mod plain_io;
pub mod program;
pub mod proxy;
pub mod random;
pub mod reactor;
pub mod redirect;
pub mod resolve;
pub mod retry;
pub mod route;
pub mod secret;
pub mod server_hello;
pub mod signals;
pub mod source;
pub mod stdio;
pub mod stream;
pub mod target;
pub mod tls;
pub mod transport;
