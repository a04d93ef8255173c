//! The proxy as its users meet it: the real binary between raw sockets, and between real programs.

#[path = "../listen/harness.rs"]
#[allow(dead_code)]
mod harness;
#[path = "../listen/raw.rs"]
#[allow(dead_code)]
mod raw;

#[cfg(target_os = "linux")] // it reads /proc
mod asked;
mod authority;
mod bounds;
mod closed;
mod exact;
mod faults;
mod forward;
mod heads;
#[cfg(target_os = "linux")] // it looks at certificates with OpenSSL
mod intercept;
mod lens;
mod lines;
mod prompt;
mod rules;
mod shown;
mod socks;
mod tls;
mod upstream;
mod wrapped;

#[path = "../common/frames.rs"]
#[allow(dead_code)]
mod frames;
#[path = "../common/terminal.rs"]
#[allow(dead_code)]
mod terminal;
#[path = "../common/waiting.rs"]
#[allow(dead_code)]
mod waiting;
