//! `wscope check` without its connections: the cases, the next step of a case, its verdict, the
//! order of the cases, the reports.
//!
//! Nothing here uses a socket or a clock: [`trial::CaseRun`] and [`plan::CheckRun`] get the events
//! and the time as arguments; [`judge::judge`] uses only [`facts::CaseFacts`].

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
