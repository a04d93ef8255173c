//! Echoes with tungstenite. Not a part of the tests: a program of its own, for `run`.

fn main() {
    let port = std::env::args().nth(1).unwrap();
    for stream in std::net::TcpListener::bind(format!("127.0.0.1:{port}")).unwrap().incoming() {
        std::thread::spawn(move || {
            let Ok(mut socket) = tungstenite::accept(stream.unwrap()) else { return };
            while let Ok(message) = socket.read() {
                if (message.is_text() || message.is_binary()) && socket.send(message).is_err() {
                    return;
                }
            }
        });
    }
}
