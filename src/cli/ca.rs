//! `wscope ca` as typed.

use std::path::PathBuf;

use clap::{Args, Subcommand, ValueEnum};

/// `wscope ca`.
#[derive(Debug, Args)]
pub struct CaArgs {
    /// What to print or do; without it, what there is
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
    /// Prints the hash of its public key, as Chromium takes it
    Spki,
    /// Prints the variables by which programs trust it: `eval "$(wscope ca env)"`
    Env {
        /// Also use the proxy that listens here
        #[arg(value_name = "[ADDR:]PORT")]
        proxy: Option<String>,

        /// The shell whose commands are printed
        #[arg(long, value_enum, value_name = "SHELL", default_value = "sh")]
        shell: CaShell,
    },
    /// Writes the certificates that the system trusts and this one into FILE
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
    /// Makes a new authority in the place of the old one
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
