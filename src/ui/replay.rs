//! The output of `wscope replay` for users: the summary.

use std::time::Duration;

use super::clock;
use super::latency::Latencies;
use super::number::counted;

/// The result of all connections.
#[derive(Clone, Debug, Default)]
pub struct ReplayTotals {
    /// The number of connections begun, and of those that did not go as planned.
    pub connections: u64,
    pub failed: u64,
    /// The number of messages.
    pub sent: u64,
    pub received: u64,
    /// The number of differences from the recording; `None` if messages were not compared.
    pub differences: Option<u64>,
    /// The times from a message to its answer.
    pub latencies: Latencies,
    /// The time from the first connection to the end of the last.
    pub time: Duration,
}

/// The percentiles that are printed.
pub const PERCENTILES: [f64; 3] = [50.0, 90.0, 99.0];

impl ReplayTotals {
    /// The number of differences, if anything was compared.
    pub fn compared(&self) -> Option<u64> {
        let nothing_came = self.failed == self.connections && self.received == 0;
        self.differences.filter(|differences| *differences > 0 || !nothing_came)
    }

    /// The summary.
    pub fn summary(&self) -> String {
        let Self { connections, failed, sent, received, latencies, time, .. } = self;
        let failed = if *failed > 0 { format!(" ({failed} failed)") } else { String::new() };
        let compared = match self.compared() {
            None => String::new(),
            Some(0) => ", no difference".to_owned(),
            Some(n) => format!(", {}", counted(n, "difference")),
        };
        let mut text = format!(
            "replayed on {}{failed} in {}: {} sent, {received} received{compared}\n",
            counted(*connections, "connection"),
            clock::seconds(*time),
            counted(*sent, "message"),
        );
        if let Some(max) = latencies.max() {
            let millis = |time: Duration| format!("{:.3}", time.as_secs_f64() * 1e3);
            let figures = PERCENTILES.iter().filter_map(|percent| latencies.percentile(*percent));
            let figures: Vec<String> = figures.chain([max]).map(millis).collect();
            let count = counted(latencies.count(), "answer");
            text += &format!("answer time p50/p90/p99/max = {} ms ({count})\n", figures.join("/"));
        }
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_summary_counts_and_measures() {
        let mut totals = ReplayTotals {
            connections: 1,
            sent: 1,
            received: 2,
            time: Duration::from_millis(12),
            ..ReplayTotals::default()
        };
        let first = "replayed on 1 connection in 0.012 s: 1 message sent, 2 received";
        assert_eq!(totals.summary(), format!("{first}\n"));
        totals.differences = Some(0);
        assert_eq!(totals.summary(), format!("{first}, no difference\n"));
        totals.latencies.take(Duration::from_micros(20));
        (totals.connections, totals.failed, totals.differences) = (10, 2, Some(3));
        assert_eq!(
            totals.summary(),
            "replayed on 10 connections (2 failed) in 0.012 s: 1 message sent, 2 received, 3 differences\n\
             answer time p50/p90/p99/max = 0.020/0.020/0.020/0.020 ms (1 answer)\n"
        );
    }
}
