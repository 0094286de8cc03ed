//! Histograms as HdrHistogram's tools read them: the interval log (`.hlog`, a histogram a second and metric), the percentile
//! distribution (`.hgrm`), and the compressed form (V2, deflated) as text.

use std::fs::File;
use std::io::{self, LineWriter, Write};
use std::path::Path;
use std::time::{Duration, SystemTime};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use hdrhistogram::Histogram;
use hdrhistogram::serialization::interval_log::{IntervalLogWriter, IntervalLogWriterBuilder, Tag};
use hdrhistogram::serialization::{Deserializer, Serializer, V2DeflateSerializer};

use crate::metrics::Metric;

/// Values are nanoseconds; the tools expect the maxima beside them in milliseconds.
const NS_PER_MS: f64 = 1e6;

/// The compressed form in base64.
pub fn encode(histogram: &Histogram<u64>) -> String {
    let mut bytes = Vec::new();
    V2DeflateSerializer::new()
        .serialize(histogram, &mut bytes)
        .expect("a Vec takes every histogram");
    STANDARD.encode(bytes)
}

/// Reads what [`encode`] wrote; `None` if it is something else.
pub fn decode(text: &str) -> Option<Histogram<u64>> {
    let bytes = STANDARD.decode(text).ok()?;
    Deserializer::new().deserialize(&mut bytes.as_slice()).ok()
}

/// One interval of one metric.
pub struct Interval<'a> {
    /// Since the run began.
    pub start: Duration,
    /// How long it was.
    pub length: Duration,
    /// Which.
    pub metric: Metric,
    /// What was recorded in it.
    pub histogram: &'a Histogram<u64>,
}

/// Writes an interval log while `fill` gives it intervals. Each line is in the file before the next: a run that is killed
/// leaves what it had.
///
/// # Errors
/// When the file cannot be written.
pub fn with_interval_log<T>(
    path: Option<&Path>,
    command_line: &str,
    fill: impl FnOnce(&mut dyn FnMut(&Interval<'_>) -> io::Result<()>) -> T,
) -> io::Result<T> {
    let Some(path) = path else {
        return Ok(fill(&mut |_| Ok(())));
    };
    let mut file = LineWriter::new(File::create(path)?);
    let mut serializer = V2DeflateSerializer::new();
    let now = SystemTime::now();
    let mut log: IntervalLogWriter<'_, '_, _, _> = IntervalLogWriterBuilder::new()
        .add_comment(&format!("[{command_line}]"))
        .with_start_time(now)
        .with_base_time(now)
        .with_max_value_divisor(NS_PER_MS)
        .begin_log_with(&mut file, &mut serializer)?;
    let filled = fill(&mut |interval: &Interval<'_>| {
        let tag = Tag::new(interval.metric.name());
        let written = log.write_histogram(interval.histogram, interval.start, interval.length, tag);
        written.map_err(|error| io::Error::other(error.to_string()))
    });
    file.flush()?;
    Ok(filled)
}

/// The percentile distribution, in milliseconds as HdrHistogram's plotter expects.
pub fn percentile_distribution(histogram_ns: &Histogram<u64>) -> String {
    vltava::metrics::percentile_distribution(histogram_ns, NS_PER_MS)
}

#[cfg(test)]
mod tests {
    use hdrhistogram::serialization::interval_log::{IntervalLogIterator, LogEntry};

    use super::*;
    use crate::metrics::duration_histogram;

    fn microseconds(values: impl Iterator<Item = u64>) -> Histogram<u64> {
        let mut histogram = duration_histogram();
        values.for_each(|us| histogram.saturating_record(us * 1000));
        histogram
    }

    #[test]
    fn a_distribution_counts_every_value_once_and_ends_at_one() {
        let text = percentile_distribution(&microseconds(1..=1000));
        let last = text.lines().rfind(|line| !line.starts_with('#')).unwrap();
        let fields: Vec<&str> = last.split_whitespace().collect();
        assert_eq!((fields[1], fields[2]), ("1.000000000000", "1000"), "{text}");
        assert!(text.contains("Total count    =         1000"), "{text}");
        assert!(fields[0].starts_with("1.000"), "{text}");
    }

    #[test]
    fn a_histogram_is_the_same_after_its_way_through_text() {
        let histogram = microseconds(1..=1000);
        assert_eq!(decode(&encode(&histogram)), Some(histogram));
        assert_eq!(decode("no histogram"), None);
    }

    #[test]
    fn an_interval_log_is_read_by_a_reader_of_interval_logs() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("run.hlog");
        let histogram = microseconds([100, 2000].into_iter());
        with_interval_log(Some(&path), "bench --rate 1", |write| {
            for second in 0..3 {
                write(&Interval {
                    start: Duration::from_secs(second),
                    length: Duration::from_secs(1),
                    metric: Metric::Consumed,
                    histogram: &histogram,
                })
                .unwrap();
            }
        })
        .unwrap();
        let written = std::fs::read(&path).unwrap();
        let entries: Vec<_> = IntervalLogIterator::new(&written)
            .map(Result::unwrap)
            .collect();
        let intervals: Vec<_> = entries
            .iter()
            .filter_map(|entry| match entry {
                LogEntry::Interval(interval) => Some(interval),
                _ => None,
            })
            .collect();
        assert_eq!(intervals.len(), 3);
        assert_eq!(intervals[2].tag(), Tag::new("consumed"));
        assert_eq!(intervals[2].start_timestamp(), Duration::from_secs(2));
        assert!((intervals[2].max() - 2.0).abs() < 0.01);
        assert_eq!(decode(intervals[0].encoded_histogram()), Some(histogram));
    }
}
