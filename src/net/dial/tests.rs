//! Races on loopback and with fake connectors; nothing leaves the machine.

use super::*;
use std::net::TcpListener;
use std::sync::{Arc, Barrier, Mutex};

fn soon() -> Instant {
    Instant::now() + Duration::from_secs(10)
}

fn listener() -> (TcpListener, SocketAddr) {
    let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
    let addr = listener.local_addr().unwrap();
    (listener, addr)
}

/// An address of this machine on which nothing listens: a socket was bound to it and closed.
fn refused() -> SocketAddr {
    listener().1
}

fn addr(port: u16) -> SocketAddr {
    SocketAddr::from(([192, 0, 2, 1], port))
}

#[test]
fn a_lone_address_is_connected_to() {
    let (listener, addr) = listener();
    let dialed = dial(&LocalAddress::default(), &[addr], soon()).unwrap();
    assert_eq!(dialed.stream.peer_addr().unwrap(), addr);
    assert!(dialed.stream.nodelay().unwrap());
    assert!(matches!(dialed.attempts[..], [Attempt { outcome: AttemptOutcome::Connected, .. }]));
    listener.accept().unwrap();
}

#[test]
fn a_refused_address_is_passed_over_at_once_and_reported() {
    let (_listener, addr) = listener();
    let bad = refused();
    let delay = Duration::from_secs(5);
    let connect = |addr, timeout| TcpStream::connect_timeout(&addr, timeout);
    let (_stream, winner, attempts) = race(&[bad, addr], soon(), delay, connect).unwrap();
    assert_eq!(winner, addr);
    assert!(attempts[1].started < delay, "a failure starts the next at once");
    assert_eq!(attempts[0].to_string(), format!("{bad}: connection refused"));
    assert!(attempts[1].to_string().starts_with(&format!("{addr}: connected in ")));
}

#[test]
fn a_lone_refusal_is_one_line() {
    let bad = refused();
    let error = dial(&LocalAddress::default(), &[bad], soon()).unwrap_err();
    assert_eq!(error.to_string(), format!("cannot connect to {bad}: connection refused"));
    assert!(!error.timed_out);
}

#[test]
fn several_refusals_are_a_line_each() {
    let (one, two) = (refused(), refused());
    let error = dial(&LocalAddress::default(), &[one, two], soon()).unwrap_err();
    assert_eq!(
        error.to_string(),
        format!(
            "cannot connect to any of 2 addresses\n  {one}: connection refused\n  \
             {two}: connection refused"
        )
    );
}

#[test]
fn no_address_is_an_error() {
    let error = dial(&LocalAddress::default(), &[], soon()).unwrap_err();
    assert_eq!(error.to_string(), "no address to connect to");
}

#[test]
fn a_passed_deadline_times_out() {
    let (_listener, addr) = listener();
    for addrs in [&[addr][..], &[addr, addr][..]] {
        let error = dial(&LocalAddress::default(), addrs, Instant::now()).unwrap_err();
        assert!(error.timed_out);
        assert!(error.to_string().contains("no answer within"), "{error}");
    }
}

#[test]
fn a_silent_address_loses_to_the_next_after_the_delay() {
    let delay = Duration::from_millis(20);
    // The first attempt answers only after the race is over.
    let over = Arc::new(Barrier::new(2));
    let gate = Arc::clone(&over);
    let connect = move |to: SocketAddr, _| {
        if to.port() == 1 {
            gate.wait();
        }
        Ok(to.port())
    };
    let (stream, winner, attempts) = race(&[addr(1), addr(2)], soon(), delay, connect).unwrap();
    over.wait();
    assert_eq!((stream, winner), (2, addr(2)));
    assert!(matches!(attempts[0].outcome, AttemptOutcome::Unanswered));
    assert!(attempts[0].elapsed >= delay);
    assert!(attempts[1].started >= delay, "the first has its head start");
}

#[test]
fn attempts_start_in_order_and_with_the_time_left() {
    let seen = Arc::new(Mutex::new(Vec::new()));
    let log = Arc::clone(&seen);
    let connect = move |to: SocketAddr, timeout: Duration| -> io::Result<()> {
        log.lock().unwrap().push((to.port(), timeout <= Duration::from_secs(10)));
        Err(io::ErrorKind::HostUnreachable.into())
    };
    let error =
        race(&[addr(1), addr(2), addr(3)], soon(), Duration::from_secs(5), connect).unwrap_err();
    assert_eq!(*seen.lock().unwrap(), [(1, true), (2, true), (3, true)]);
    assert_eq!(error.attempts.len(), 3);
    assert!(error.to_string().ends_with("192.0.2.1:3: host unreachable"), "{error}");
}

#[test]
fn silence_everywhere_ends_at_the_deadline() {
    let (over, gate) = mpsc::channel::<()>();
    let gate = Arc::new(Mutex::new(gate));
    let connect = move |_: SocketAddr, _| {
        let _ = gate.lock().unwrap().recv();
        Ok(())
    };
    let deadline = Instant::now() + Duration::from_millis(40);
    let delay = Duration::from_millis(5);
    let error = race(&[addr(1), addr(2)], deadline, delay, connect).unwrap_err();
    drop(over);
    assert!(error.timed_out);
    assert!(error.attempts.iter().all(|a| matches!(a.outcome, AttemptOutcome::Unanswered)));
    assert!(error.to_string().contains("192.0.2.1:1: no answer within"), "{error}");
}

#[test]
fn durations_are_short() {
    let text = |micros| Elapsed(Duration::from_micros(micros)).to_string();
    assert_eq!([text(210), text(48_400), text(10_000_000)], ["0.21 ms", "48 ms", "10.0 s"]);
}
