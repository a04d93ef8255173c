//! The user's choices for a transcript: the view of frames, and the timestamps.

/// How traffic is shown.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::ValueEnum)]
pub enum View {
    /// A line for each frame
    #[default]
    Frames,
    /// A line for each message, fragments joined
    Messages,
    /// A JSON object for each event
    Json,
    /// Every byte of header and payload
    Hex,
}

/// Which time is shown.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::ValueEnum)]
pub enum Timestamps {
    /// The time of day; of single frames only with 80 columns or more
    #[default]
    Auto,
    /// The time of day
    On,
    /// None
    Off,
    /// Seconds since the connection was opened
    Relative,
}
