//! The schema of `docs/json.md` as structs that deny unknown fields.

use serde::Deserialize;

/// The schema of `docs/json.md`, version 1.
#[derive(Debug, Deserialize)]
#[serde(tag = "event", rename_all = "kebab-case", deny_unknown_fields)]
#[allow(dead_code)] // that a field is there and has its type is the test
pub enum Line {
    Start {
        v: u64,
        time: String,
        conn: u64,
        program: String,
        version: String,
        role: Option<String>,
        secrets: String,
    },
    Resolved {
        time: String,
        conn: u64,
        host: String,
        addresses: Vec<String>,
    },
    AddressFailed {
        time: String,
        conn: u64,
        address: String,
        error: String,
    },
    Connected {
        time: String,
        conn: u64,
        local: String,
        peer: String,
    },
    Tls {
        time: String,
        conn: u64,
        version: Option<String>,
        cipher: Option<String>,
        alpn: Option<String>,
        peer: Option<String>,
        verified: bool,
        problem: Option<String>,
        certificate: Option<Certificate>,
        chain: Vec<Certificate>,
    },
    Head {
        time: String,
        conn: u64,
        dir: Dir,
        kind: String,
        method: Option<String>,
        target: Option<String>,
        version: Option<String>,
        status: Option<u16>,
        reason: Option<String>,
        unparsable: Option<String>,
        headers: Vec<(String, String)>,
        defects: Vec<String>,
        raw: String,
        raw_base64: Option<String>,
    },
    Body {
        time: String,
        conn: u64,
        dir: Dir,
        text: Option<String>,
        base64: Option<String>,
    },
    Handshake {
        time: String,
        conn: u64,
        accept: Option<Accept>,
        verdicts: Vec<Verdict>,
    },
    Timing {
        time: String,
        conn: u64,
        resolve_us: u64,
        connect_us: u64,
        proxy_us: Option<u64>,
        tls_us: Option<u64>,
        upgrade_us: u64,
    },
    Open {
        time: String,
        conn: u64,
        subprotocol: Option<String>,
        extensions: Vec<String>,
        deflate: Option<Deflate>,
    },
    Frame {
        time: String,
        conn: u64,
        dir: Dir,
        number: u64,
        fin: bool,
        rsv1: bool,
        rsv2: bool,
        rsv3: bool,
        opcode: Opcode,
        mask: Option<String>,
        length: u64,
        length_form: u8,
        offset: u64,
        header_hex: String,
        auto: Option<bool>,
        received: Option<u64>,
        payload: Option<String>,
        text: Option<String>,
        base64: Option<String>,
        code: Option<u16>,
        reason: Option<String>,
    },
    Payload {
        time: String,
        conn: u64,
        dir: Dir,
        number: u64,
        offset: u64,
        base64: String,
    },
    FrameEnd {
        time: String,
        conn: u64,
        dir: Dir,
        number: u64,
        received: u64,
    },
    Message {
        time: String,
        conn: u64,
        dir: Dir,
        number: u64,
        opcode: Opcode,
        frames: u64,
        first_frame: u64,
        compressed: bool,
        wire_length: u64,
        length: u64,
        text: Option<String>,
        base64: Option<String>,
        content: Option<String>,
    },
    Violation {
        time: String,
        conn: u64,
        dir: Dir,
        code: String,
        name: String,
        section: String,
        explanation: String,
        detail: String,
        frame: u64,
        offset: u64,
        close: Option<u16>,
    },
    Undecodable {
        time: String,
        conn: u64,
        dir: Dir,
        base64: String,
    },
    RoundTrip {
        time: String,
        conn: u64,
        rtt_us: u64,
    },
    Command {
        time: String,
        conn: u64,
        status: Option<u8>,
        signal: Option<u8>,
    },
    Note {
        time: String,
        conn: u64,
        text: String,
    },
    Listening {
        time: String,
        conn: u64,
        url: String,
    },
    Failed {
        time: String,
        conn: u64,
        text: String,
    },
    Diagnostic {
        time: String,
        conn: u64,
        code: String,
        severity: String,
        verdict: bool,
        title: String,
        span: Option<Span>,
        explanation: String,
        source: String,
        notes: Vec<String>,
        causes: Vec<LikelyCause>,
        help: String,
    },
    Ping {
        time: String,
        conn: u64,
        seq: Option<u64>,
        outcome: String,
        bytes: Option<u64>,
        rtt_us: Option<u64>,
    },
    PingSummary {
        time: String,
        conn: u64,
        sent: u64,
        answered: u64,
        lost: u64,
        waiting: u64,
        duration_us: u64,
        rtt_min_us: Option<u64>,
        rtt_avg_us: Option<u64>,
        rtt_max_us: Option<u64>,
        rtt_mdev_us: Option<u64>,
        end: Option<String>,
    },
    Silence {
        time: String,
        conn: u64,
        silence_us: u64,
        outcome: String,
        after_us: Option<u64>,
        sign: Option<String>,
        close: Option<Close>,
        frames: u64,
    },
    IdleLimit {
        time: String,
        conn: u64,
        allowed_us: u64,
        cut_us: Option<u64>,
        sign: Option<String>,
        close: Option<Close>,
        ping_interval_us: Option<u64>,
        cures: Option<bool>,
        text: String,
    },
    End {
        time: String,
        conn: u64,
        by: String,
        cause: String,
        detail: Option<String>,
        violation: Option<Found>,
        sent: Option<Close>,
        received: Option<Close>,
        duration_us: u64,
        out: Counts,
        r#in: Counts,
        text: String,
    },
}

/// Where a diagnostic can be seen.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
#[allow(dead_code)]
pub struct Span {
    pub place: String,
    pub line: Option<u64>,
    pub frame: Option<u64>,
    pub after_us: Option<u64>,
    pub offset: u64,
    pub mark_start: u64,
    pub mark_end: u64,
    pub label: String,
    pub text: Option<String>,
    pub base64: Option<String>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
#[allow(dead_code)]
pub struct LikelyCause {
    pub confidence: String,
    pub text: String,
    pub because: Option<String>,
}

#[derive(Debug, Deserialize, PartialEq)]
#[serde(rename_all = "kebab-case")]
pub enum Dir {
    ToServer,
    ToClient,
}

#[derive(Debug, Deserialize, PartialEq)]
#[serde(untagged)]
pub enum Opcode {
    Name(String),
    Number(u8),
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
#[allow(dead_code)]
pub struct Certificate {
    pub subject: String,
    pub issuer: String,
    pub names: Vec<String>,
    pub not_before: String,
    pub not_after: String,
    pub serial: String,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
#[allow(dead_code)]
pub struct Accept {
    pub key: String,
    pub with_guid: String,
    pub sha1: String,
    pub base64: String,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
#[allow(dead_code)]
pub struct Verdict {
    pub rule: String,
    pub title: String,
    pub side: String,
    pub level: String,
    pub outcome: String,
    pub code: Option<String>,
    pub text: String,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
#[allow(dead_code)]
pub struct Deflate {
    pub server_no_context_takeover: bool,
    pub client_no_context_takeover: bool,
    pub server_max_window_bits: u8,
    pub client_max_window_bits: u8,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
#[allow(dead_code)]
pub struct Found {
    pub code: String,
    pub name: String,
    pub section: String,
    pub explanation: String,
    pub detail: String,
    pub frame: u64,
    pub offset: u64,
    pub close: Option<u16>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
#[allow(dead_code)]
pub struct Close {
    pub code: Option<u16>,
    pub reason: String,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
#[allow(dead_code)]
pub struct Counts {
    pub frames: u64,
    pub messages: u64,
    pub bytes: u64,
    pub wire_bytes: u64,
}
