//! From a URL to a pipe of plaintext bytes: names, addresses, TCP and TLS.
//!
//! This layer owns sockets and clocks. It must not know printers, prompts or
//! what the bytes mean.
pub mod certificate;
pub mod dial;
pub mod resolve;
pub mod server_hello;
pub mod target;
pub mod tls;
