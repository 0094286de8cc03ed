//! The percentile distribution as text (`.hgrm`), which HdrHistogram's plotter and other tools read.

use hdrhistogram::Histogram;
use std::fmt::Write as _;

/// Lines between one halving of the distance to 100 % and the next.
const STEPS_PER_HALVING: u32 = 5;

/// The distribution of values that are divided by `unit` for the reader: nanoseconds by 1e6 are milliseconds, which the
/// plotter expects.
pub fn percentile_distribution(histogram: &Histogram<u64>, unit: f64) -> String {
    let mut text = format!(
        "{:>12} {:>14} {:>10} {:>14}\n\n",
        "Value", "Percentile", "TotalCount", "1/(1-Percentile)"
    );
    let mut total = 0;
    for step in histogram.iter_quantiles(STEPS_PER_HALVING) {
        total += step.count_since_last_iteration();
        let value = step.value_iterated_to() as f64 / unit;
        let quantile = step.quantile_iterated_to();
        // Writing to a String cannot fail.
        let _ = write!(text, "{value:12.6} {quantile:2.12} {total:10}");
        let _ = match quantile < 1.0 {
            true => writeln!(text, " {:14.2}", 1.0 / (1.0 - quantile)),
            false => writeln!(text),
        };
    }
    let (mean, deviation) = (histogram.mean() / unit, histogram.stdev() / unit);
    let (max, count) = (histogram.max() as f64 / unit, histogram.len());
    let (buckets, steps) = (histogram.buckets(), histogram.distinct_values());
    let _ = writeln!(
        text,
        "#[Mean    = {mean:12.6}, StdDeviation   = {deviation:12.6}]"
    );
    let _ = writeln!(text, "#[Max     = {max:12.6}, Total count    = {count:12}]");
    let _ = writeln!(
        text,
        "#[Buckets = {buckets:12}, SubBuckets     = {steps:12}]"
    );
    text
}
