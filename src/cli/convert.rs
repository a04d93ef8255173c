//! `wscope convert` as typed.

use std::path::PathBuf;

use clap::{Args, ValueEnum};

use super::values::number;

/// `wscope convert`.
#[derive(Debug, Args)]
pub struct ConvertArgs {
    /// The recording: JSON lines of --record, HAR, pcap or pcapng; `-` is stdin; IN#2 is connection 2
    #[arg(value_name = "IN")]
    pub input: PathBuf,

    /// The file to write; `-` is stdout
    ///
    /// Its name determines its format: .jsonl, .har, .pcapng, .html, .wsc, .txt, .js for k6, .yml for Artillery
    /// (with its processor in a .cjs file next to it).
    #[arg(value_name = "OUT")]
    pub output: PathBuf,

    /// The format of OUT, regardless of its name
    #[arg(long, value_enum, value_name = "FORMAT")]
    pub to: Option<ConvertFormat>,

    /// Convert only this connection; may be repeated
    #[arg(long, value_name = "N", value_parser = number::<u64>(1..=u64::MAX))]
    pub conn: Vec<u64>,
}

/// A format to write.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum ConvertFormat {
    /// JSON lines, as of --record
    Jsonl,
    /// An HTTP archive, as Chrome writes it
    Har,
    /// A packet capture for Wireshark, without TLS
    Pcapng,
    /// A report in one HTML file
    Html,
    /// A script for --script
    Wsc,
    /// A load test for k6
    K6,
    /// A load test for Artillery
    Artillery,
    /// The transcript
    Txt,
}
