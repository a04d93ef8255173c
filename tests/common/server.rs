//! The thread in which a peer runs.

use std::net::{TcpListener, TcpStream};
use std::thread::{self, JoinHandle};

use crate::peer::Peer;

/// A server in a thread.
pub struct Server {
    pub port: u16,
    thread: JoinHandle<()>,
}

/// Starts a server in a thread.
pub fn serve_on(address: &str, serve: impl FnOnce(TcpListener) + Send + 'static) -> Server {
    let listener = TcpListener::bind(address).expect("loopback");
    let port = listener.local_addr().expect("a bound socket").port();
    Server { port, thread: thread::spawn(move || serve(listener)) }
}

/// Serves the first connection by a script.
pub fn scripted(
    script: impl FnOnce(&mut Peer) + Send + 'static,
) -> impl FnOnce(TcpListener) + Send + 'static {
    |listener| serve_next(&listener, script)
}

/// Serves the next connection by a script.
pub fn serve_next(listener: &TcpListener, script: impl FnOnce(&mut Peer)) {
    let (stream, _) = listener.accept().expect("a connection");
    script(&mut Peer::new(stream));
}

impl Server {
    /// Waits for its end, and gives its panic if that was how it ended.
    pub fn end(self) -> thread::Result<()> {
        // Whoever still waits for a connection gets one that ends at once.
        drop(TcpStream::connect(("127.0.0.1", self.port)));
        self.thread.join()
    }
}
