//! Whether the latencies of a run are the broker's: not when the load generator itself was late.
//!
//! Lateness is how much later than it could have the generator sent a record, while the broker left it room to. It is part
//! of every latency, since that counts from when a record was due. Where it makes up half of one, the figure says more
//! about this process and its machine than about the broker.

use std::collections::BTreeMap;

use hdrhistogram::Histogram;

use crate::metrics::Metric;
use crate::units::three_digits;

/// The share of a latency that may be the generator's.
const SHARE_MAX: f64 = 0.5;
/// Below this it does not matter: it is what waking a thread takes.
const LATENESS_NS_MIN: u64 = 100_000;
/// Where latencies are looked at. A point needs this many times behind it to mean anything.
const POINTS: [(f64, &str); 3] = [(0.5, "p50"), (0.99, "p99"), (0.999, "p99.9")];
const TIMES_BEHIND_A_POINT: f64 = 10.0;

/// Why the latencies are not the broker's; nothing if they are.
pub fn complaints(histograms: &BTreeMap<Metric, Histogram<u64>>) -> Vec<String> {
    let Some(lateness) = histograms.get(&Metric::Lateness) else {
        return Vec::new();
    };
    let measured = [Metric::Acknowledged, Metric::Consumed];
    let measured = measured
        .iter()
        .filter_map(|metric| Some((metric, histograms.get(metric)?)));
    let mut complaints = Vec::new();
    for (metric, latency) in measured {
        for (quantile, point) in POINTS {
            if (lateness.len() as f64) * (1.0 - quantile) < TIMES_BEHIND_A_POINT {
                continue;
            }
            let late = lateness.value_at_quantile(quantile);
            let whole = latency.value_at_quantile(quantile);
            if late > LATENESS_NS_MIN && late as f64 > whole as f64 * SHARE_MAX {
                complaints.push(format!(
                    "{point} of '{}' is {} ms, but the generator itself was {} ms late",
                    Metric::describe(metric.name()),
                    three_digits(whole as f64 / 1e6),
                    three_digits(late as f64 / 1e6)
                ));
            }
        }
    }
    complaints
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::metrics::duration_histogram;

    fn of(us: &[(u64, u64)]) -> Histogram<u64> {
        let mut histogram = duration_histogram();
        for &(us, count) in us {
            histogram.saturating_record_n(us * 1000, count);
        }
        histogram
    }

    fn judged(lateness: &[(u64, u64)], latency: &[(u64, u64)]) -> Vec<String> {
        complaints(&BTreeMap::from([
            (Metric::Lateness, of(lateness)),
            (Metric::Acknowledged, of(latency)),
        ]))
    }

    #[test]
    fn a_generator_that_keeps_its_times_is_believed() {
        assert!(judged(&[(40, 10_000)], &[(60, 10_000)]).is_empty());
        assert!(judged(&[(150, 10_000)], &[(900, 10_000)]).is_empty());
        assert!(complaints(&BTreeMap::new()).is_empty());
    }

    #[test]
    fn a_generator_that_was_late_itself_is_not() {
        let found = judged(&[(40, 9_800), (4000, 200)], &[(60, 9_800), (5000, 200)]);
        assert_eq!(found.len(), 2, "{found:?}");
        assert!(found[0].starts_with("p99 of") && found[1].starts_with("p99.9 of"));
    }

    #[test]
    fn a_point_with_too_few_times_behind_it_is_not_judged() {
        assert!(judged(&[(40, 500), (4000, 5)], &[(60, 500), (5000, 5)]).is_empty());
    }
}
