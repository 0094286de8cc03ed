//! Latency against throughput.

use std::fmt::Write as _;

use super::{banner, details};
use crate::curve::{Curve, Sweep};
use crate::plot::{Axis, Chart, Scale, Series, escape};
use crate::units::three_digits;

/// The section of a sweep.
pub fn html(name: &str, sweep: &Sweep) -> String {
    let limit = three_digits(sweep.limit_ms);
    let mut html = format!(
        "<h2>{}</h2>\n<p class=\"sub\"><code>{}</code>, up to a p99 of {limit} ms</p>\n",
        escape(name),
        escape(&sweep.command)
    );
    if sweep.interrupted {
        html.push_str(&banner("Interrupted: the figures are of the loads before."));
    }
    html.push_str(&chart(sweep).html());
    html.push_str(&table(sweep));
    html + &details(&sweep.fingerprint)
}

fn chart(sweep: &Sweep) -> Chart {
    let line = |(colour, curve): (usize, &Curve)| Series {
        name: curve.name.clone(),
        colour,
        points: curve
            .points
            .iter()
            .map(|p| (p.mb_per_s, p.p99_ms))
            .collect(),
        dots: true,
        dashed: false,
    };
    let series: Vec<Series> = sweep.curves.iter().enumerate().map(line).collect();
    let points = || series.iter().flat_map(|line| &line.points);
    let limit = three_digits(sweep.limit_ms);
    Chart {
        title: "Latency against throughput".to_owned(),
        x: Axis {
            label: "MB/s acknowledged".to_owned(),
            scale: Scale::logarithmic(points().map(|point| point.0)),
        },
        y: Axis {
            label: "p99, ms".to_owned(),
            scale: Scale::logarithmic(points().map(|point| point.1).chain([sweep.limit_ms])),
        },
        limits: vec![(sweep.limit_ms, format!("limit {limit} ms"))],
        series,
    }
}

fn table(sweep: &Sweep) -> String {
    let mut html = String::from(
        "<table><thead><tr><th>setting</th><th>knee, MB/s</th><th>p50 there, ms</th><th>p99</th><th>p99.9</th><th>ended by</th></tr></thead>",
    );
    for curve in &sweep.curves {
        let _ = write!(html, "<tr><td>{}</td>", escape(&curve.name));
        match curve.knee() {
            Some(knee) => {
                for value in [knee.mb_per_s, knee.p50_ms, knee.p99_ms, knee.p999_ms] {
                    let _ = write!(html, "<td>{}</td>", three_digits(value));
                }
            }
            None => html.push_str("<td>none</td><td></td><td></td><td></td>"),
        }
        let ended = match curve.ended_by.as_str() {
            "" => "the limit",
            other => other,
        };
        let _ = write!(html, "<td>{}</td></tr>", escape(ended));
    }
    html + "</table>\n"
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::curve::Point;

    #[test]
    fn a_sweep_shows_its_knee_and_its_limit() {
        let point = |mb_per_s, p99_ms, taken| Point {
            mb_per_s,
            p99_ms,
            taken,
            ..Point::default()
        };
        let sweep = Sweep {
            limit_ms: 5.0,
            curves: vec![Curve {
                name: "linger-ms=0".to_owned(),
                points: vec![point(42.0, 1.0, true), point(80.0, 9.0, false)],
                ended_by: String::new(),
            }],
            ..Sweep::default()
        };
        let html = html("a sweep", &sweep);
        assert!(html.contains("<td>42.0</td>") && html.contains("limit 5.00 ms"));
        assert!(html.contains("the limit"));
    }
}
