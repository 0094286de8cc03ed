//! Distributions and seconds of runs as charts.

use hdrhistogram::Histogram;

use crate::hdr_files;
use crate::metrics::Metric;
use crate::plot::{Axis, Chart, Scale, Series};
use crate::result::{RunResult, Second, SecondLatency};

/// More points on each half of the rest than can be seen apart.
const TICKS_PER_HALF: u32 = 12;
/// Below this, what is not the subject of a chart is not shown.
const ASIDE_MS_MIN: f64 = 0.01;
/// Nobody sees more points than this in one line.
const SECONDS_MAX: usize = 1200;

/// A distribution as points: share of all values, milliseconds.
fn points(histogram_ns: &Histogram<u64>) -> Vec<(f64, f64)> {
    let of_step = |step: hdrhistogram::iterators::IterationValue<u64>| {
        let ms = step.value_iterated_to() as f64 / 1e6;
        (step.quantile_iterated_to(), ms)
    };
    let steps = histogram_ns.iter_quantiles(TICKS_PER_HALF);
    steps.map(of_step).collect()
}

/// Distributions over each other.
pub fn distributions(title: &str, lines: Vec<(String, Histogram<u64>, bool)>) -> Chart {
    let count = lines.iter().map(|(_, h, _)| h.len()).max().unwrap_or(0);
    let series: Vec<Series> = lines
        .into_iter()
        .enumerate()
        .map(|(colour, (name, histogram, dashed))| Series {
            name,
            points: points(&histogram),
            colour,
            dashed,
            dots: false,
        })
        .collect();
    let values = |dashed: bool| {
        let lines = series.iter().filter(move |line| line.dashed == dashed);
        lines.flat_map(|line| &line.points).map(|point| point.1)
    };
    // What is not the subject shall not flatten what is: the generator's lateness goes down to nothing.
    let aside = values(true).filter(|ms| *ms >= ASIDE_MS_MIN);
    let scale = Scale::logarithmic(values(false).chain(aside));
    Chart {
        title: title.to_owned(),
        x: Axis {
            label: "share of all records that took no longer".to_owned(),
            scale: Scale::quantile(count),
        },
        y: Axis {
            label: "ms".to_owned(),
            scale,
        },
        series,
        limits: Vec::new(),
    }
}

/// All metrics of one run.
pub fn of_run(run: &RunResult) -> Chart {
    let lines = run.latencies.iter().filter_map(|(name, latency)| {
        let histogram = hdr_files::decode(&latency.hdr)?;
        let aside = name == Metric::Lateness.name();
        Some((Metric::describe(name).to_owned(), histogram, aside))
    });
    distributions("Distribution of latencies", lines.collect())
}

/// Several runs over each other, each with what it is about.
pub fn overlaid(runs: &[(&str, &RunResult)]) -> String {
    let lines: Vec<_> = runs
        .iter()
        .filter_map(|(name, run)| {
            let histogram = hdr_files::decode(&run.headline()?.hdr)?;
            Some(((*name).to_owned(), histogram, false))
        })
        .collect();
    match lines.len() {
        0 | 1 => String::new(),
        _ => {
            let chart = distributions("All runs: distribution of latencies", lines);
            format!("<section><h2>Side by side</h2>{}</section>\n", chart.html())
        }
    }
}

/// One number of a second.
type Point = fn(&SecondLatency) -> f64;

/// Second by second: what was moved, and how long it took.
pub fn timelines(run: &RunResult) -> String {
    // One second is no line.
    if run.timeline.len() < 2 {
        return String::new();
    }
    let stride = run.timeline.len().div_ceil(SECONDS_MAX);
    let seconds: Vec<&Second> = run.timeline.iter().step_by(stride).collect();
    let moved = Series {
        points: seconds.iter().map(|s| (s.at_s, s.mb_per_s)).collect(),
        ..Series::default()
    };
    let throughput = over_time("Throughput", "MB/s", vec![moved], Scale::linear);
    let points: [(&str, Point); 3] = [
        ("median of each second", |s| s.p50_us),
        ("p99", |s| s.p99_us),
        ("longest", |s| s.max_us),
    ];
    let subject = ["consumed", "acknowledged", "request", "connect"];
    let subject = subject
        .iter()
        .find(|name| run.latencies.contains_key(**name));
    let Some(subject) = subject else {
        return throughput;
    };
    let line = |(colour, (name, of)): (usize, &(&str, Point))| Series {
        name: (*name).to_owned(),
        colour,
        points: seconds
            .iter()
            .filter_map(|s| Some((s.at_s, of(s.latencies.get(*subject)?) / 1e3)))
            .collect(),
        ..Series::default()
    };
    let lines = points.iter().enumerate().map(line).collect();
    let title = format!("Latency over time: {}", Metric::describe(subject));
    throughput + &over_time(&title, "ms", lines, Scale::logarithmic)
}

fn over_time(title: &str, unit: &str, series: Vec<Series>, scale: fn(Vec<f64>) -> Scale) -> String {
    let all = || series.iter().flat_map(|line| &line.points);
    let (times, values): (Vec<f64>, Vec<f64>) = all().copied().unzip();
    let chart = Chart {
        title: title.to_owned(),
        x: Axis {
            label: "seconds since the run began".to_owned(),
            scale: Scale::linear(times),
        },
        y: Axis {
            label: unit.to_owned(),
            scale: scale(values),
        },
        series,
        limits: Vec::new(),
    };
    chart.html()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::metrics::duration_histogram;

    #[test]
    fn a_distribution_rises_and_ends_at_its_longest_value() {
        let mut histogram = duration_histogram();
        (1..=1000).for_each(|ms| histogram.saturating_record(ms * 1_000_000));
        let points = points(&histogram);
        assert!(points.windows(2).all(|pair| pair[0] <= pair[1]));
        let (share, ms) = points[points.len() - 1];
        assert!((share - 1.0).abs() < 1e-9 && (ms - 1000.0).abs() < 1.0);
    }

    #[test]
    fn seconds_are_drawn_if_there_are_two() {
        let second = |at_s| Second {
            at_s,
            mb_per_s: 5.0,
            ..Second::default()
        };
        let mut run = RunResult {
            timeline: vec![second(1.0)],
            ..RunResult::default()
        };
        assert_eq!(timelines(&run), "");
        run.timeline.push(second(2.0));
        assert!(timelines(&run).contains("Throughput"));
    }
}
