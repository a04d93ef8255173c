//! `wscope ca` as typed.

use std::path::PathBuf;

use clap::{Args, Subcommand, ValueEnum};

/// `wscope ca`.
#[derive(Debug, Args)]
pub struct CaArgs {
    /// What to do; without it, show the authority
    #[command(subcommand)]
    pub action: Option<CaAction>,

    /// The folder of the authority [default: $XDG_DATA_HOME/wscope/ca]
    #[arg(long, value_name = "DIR", global = true)]
    pub ca_dir: Option<PathBuf>,
}

/// What `wscope ca` does.
#[derive(Clone, Debug, Subcommand)]
pub enum CaAction {
    /// Prints the path of the certificate, as for `curl --cacert`
    Path,
    /// Prints the certificate in PEM
    Pem,
    /// Prints the hash of its public key, for Chromium's command line
    Spki,
    /// Prints the environment variables that make programs trust it: `eval "$(wscope ca env)"`
    Env {
        /// Also set the proxy variables to this address
        #[arg(value_name = "[ADDR:]PORT")]
        proxy: Option<String>,

        /// The shell whose commands are printed
        #[arg(long, value_enum, value_name = "SHELL", default_value = "sh")]
        shell: CaShell,
    },
    /// Writes the system's trusted certificates and this one to FILE
    Bundle {
        /// The file
        #[arg(value_name = "FILE")]
        file: PathBuf,
    },
    /// Prints how to make a program or system trust it
    TrustHelp {
        /// The program or system
        #[arg(value_enum, value_name = "TARGET")]
        target: Option<TrustTarget>,
    },
    /// Replaces the authority with a new one
    Renew,
}

/// Shells whose commands are printed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum CaShell {
    /// sh, bash, zsh
    Sh,
    /// fish
    Fish,
}

/// Programs and systems that can trust an authority.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
#[allow(missing_docs)] // the names are the docs
pub enum TrustTarget {
    Chromium,
    Firefox,
    Node,
    Python,
    Curl,
    Java,
    Debian,
    Macos,
    Windows,
}
