//! The arguments of `wscope explain`.

use clap::Args;

use crate::ui::terminal::ColorChoice;

/// `wscope explain`.
#[derive(Debug, Args)]
pub struct ExplainArgs {
    /// A code (W461), a close code or its name (1006, going-away), an HTTP status, a handshake rule
    #[arg(value_name = "TOPIC", required_unless_present_any = ["browser", "list"])]
    pub topic: Option<String>,

    /// Explain what a browser's console or Node.js says of a failure
    #[arg(long, value_name = "TEXT", conflicts_with_all = ["topic", "list"])]
    pub browser: Option<String>,

    /// List all diagnostics
    #[arg(long, conflicts_with = "topic")]
    pub list: bool,

    /// When to use colours
    #[arg(long, value_enum, value_name = "WHEN", default_value = "auto", help_heading = "Display")]
    pub color: ColorChoice,
}
