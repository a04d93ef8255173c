//! `wscope check` without its connections: the cases, what a case does next, what its outcome is
//! worth, in which order cases run, how the results are reported.
//!
//! Nothing here knows a socket or a clock: [`trial::Trial`] and [`plan::Plan`] get what was seen
//! and the time as arguments, [`judge::judge`] decides from [`facts::Facts`] alone.

pub mod address;
pub mod baseline;
pub mod case;
pub mod catalogue;
pub mod facts;
pub mod judge;
pub mod plan;
pub mod report;
pub mod request;
pub mod select;
pub mod trial;
pub mod verdict;
