//! Collects answer times in constant memory, and computes their percentiles.

use std::time::Duration;

/// Buckets for each power of two: a percentile is at most 3 % too large.
const STEPS: u32 = 5;

/// A histogram of times.
#[derive(Clone, Debug, Default)]
pub struct Latencies {
    count: u64,
    max: Duration,
    /// Allocated when the first time is counted.
    buckets: Vec<u64>,
}

impl Latencies {
    /// Counts a time.
    pub fn take(&mut self, time: Duration) {
        self.count += 1;
        self.max = self.max.max(time);
        let at = bucket(u64::try_from(time.as_micros()).unwrap_or(u64::MAX));
        if self.buckets.len() <= at {
            self.buckets.resize(at + 1, 0);
        }
        self.buckets[at] += 1;
    }

    /// Adds the times of another run.
    pub fn add(&mut self, other: &Self) {
        self.count += other.count;
        self.max = self.max.max(other.max);
        if self.buckets.len() < other.buckets.len() {
            self.buckets.resize(other.buckets.len(), 0);
        }
        self.buckets.iter_mut().zip(&other.buckets).for_each(|(own, more)| *own += more);
    }

    /// The number of times.
    pub fn count(&self) -> u64 {
        self.count
    }

    /// The longest time.
    pub fn max(&self) -> Option<Duration> {
        (self.count > 0).then_some(self.max)
    }

    /// The time that this percentage of all times does not exceed.
    pub fn percentile(&self, percent: f64) -> Option<Duration> {
        let wanted = ((percent / 100.0 * self.count as f64).ceil() as u64).max(1);
        let mut seen = 0;
        let at = self.buckets.iter().position(|count| {
            seen += count;
            seen >= wanted
        })?;
        Some(Duration::from_micros(bound(at)).min(self.max))
    }
}

/// Small numbers have their own bucket; larger ones share a bucket with numbers that have the same
/// first bits.
fn bucket(micros: u64) -> usize {
    let bits = 64 - micros.leading_zeros();
    let shift = bits.saturating_sub(STEPS + 1);
    ((u64::from(shift) << STEPS) + (micros >> shift)) as usize
}

/// The greatest number of a bucket.
fn bound(at: usize) -> u64 {
    let at = at as u64;
    let shift = (at >> STEPS).saturating_sub(1);
    let first = at - (shift << STEPS);
    // The largest bucket has no successor.
    ((u128::from(first) + 1) << shift).saturating_sub(1).min(u128::from(u64::MAX)) as u64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bucket_holds_numbers_that_differ_little() {
        for micros in (0..5000).chain([1 << 20, (1 << 40) + 12_345, u64::MAX - 1, u64::MAX]) {
            let bound = bound(bucket(micros));
            assert!(bound >= micros, "{micros} {bound}");
            assert!((bound - micros) as f64 <= micros as f64 * 0.032, "{micros} {bound}");
        }
        assert!(bucket(u64::MAX) < 4096);
    }

    #[test]
    fn percentiles_are_those_of_the_times() {
        let mut times = Latencies::default();
        assert_eq!((times.percentile(50.0), times.max()), (None, None));
        (1..=100).for_each(|millis| times.take(Duration::from_millis(millis)));
        let mut more = Latencies::default();
        more.take(Duration::from_millis(500));
        times.add(&more);
        let millis = |percent| times.percentile(percent).map(|time| time.as_secs_f64() * 1e3);
        let near = |percent, expected: f64| {
            let found = millis(percent).expect("a time");
            assert!((found - expected).abs() <= expected * 0.04, "p{percent}: {found}");
        };
        near(50.0, 51.0);
        near(90.0, 91.0);
        near(99.0, 100.0);
        assert_eq!(millis(100.0), Some(500.0));
        assert_eq!((times.count(), times.max()), (101, Some(Duration::from_millis(500))));
    }
}
