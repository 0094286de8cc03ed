//! One run.

use std::fmt::Write as _;

use super::{banner, counts, curves, details};
use crate::plot::escape;
use crate::result::{Figure, LATENCY_PREFIX, RunResult};
use crate::units::three_digits;

/// The section of a run.
pub fn html(name: &str, run: &RunResult) -> String {
    let mut html = format!("<h2>{}</h2>\n", escape(name));
    let words = run.fingerprint.command_line.iter().skip(1);
    let words: Vec<&str> = words.map(String::as_str).collect();
    let _ = writeln!(
        html,
        "<p class=\"sub\"><code>{}</code></p>",
        escape(&words.join(" "))
    );
    for reason in &run.invalid_because {
        html.push_str(&banner(&format!("Not the broker's figures: {reason}.")));
    }
    if run.totals.interrupted {
        html.push_str(&banner("Interrupted: the figures are of the time before."));
    }
    if run.lost_records > 0 {
        let lost = run.lost_records;
        html.push_str(&banner(&format!(
            "{lost} records were sent and never consumed."
        )));
    }
    html.push_str(&tiles(run));
    html.push_str(&curves::of_run(run).html());
    html.push_str(&curves::timelines(run));
    html.push_str(&counts::html(run));
    html.push_str(&table(run));
    html + &details(&run.fingerprint)
}

/// The figures one looks for first.
fn tiles(run: &RunResult) -> String {
    let mut tiles: Vec<(String, f64, &str)> = Vec::new();
    if let Some(latency) = run.headline() {
        tiles.extend([
            ("p50".to_owned(), latency.p50_us / 1e3, "ms"),
            ("p99".to_owned(), latency.p99_us / 1e3, "ms"),
            ("p99.9".to_owned(), latency.p999_us / 1e3, "ms"),
        ]);
    }
    for name in [
        "throughput",
        "broker, CPU for each GB",
        "broker, most memory so far",
    ] {
        let found = run.figures.iter().find(|figure| figure.name == name);
        tiles.extend(found.map(|figure| (name.to_owned(), figure.value, figure.unit.as_str())));
    }
    if tiles.is_empty() {
        return String::new();
    }
    let mut html = String::from("<div class=\"tiles\">");
    for (name, value, unit) in tiles {
        let _ = write!(
            html,
            "<div class=\"tile\"><b>{}<small>{}</small></b><span>{}</span></div>",
            three_digits(value),
            escape(unit),
            escape(&name)
        );
    }
    html + "</div>\n"
}

fn table(run: &RunResult) -> String {
    let rest: Vec<&Figure> = run
        .figures
        .iter()
        .filter(|figure| !figure.name.starts_with(LATENCY_PREFIX))
        .filter(|figure| !figure.name.contains(counts::BETWEEN))
        .collect();
    if rest.is_empty() {
        return String::new();
    }
    let mut html = String::from("<table>");
    for figure in rest {
        let _ = write!(
            html,
            "<tr><td>{}</td><td>{} <small>{}</small></td></tr>",
            escape(&figure.name),
            three_digits(figure.value),
            escape(&figure.unit)
        );
    }
    html + "</table>\n"
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_spoils_a_run_stands_above_its_figures() {
        let run = RunResult {
            invalid_because: vec!["it was <late>".to_owned()],
            lost_records: 2,
            figures: vec![Figure::gain("throughput", 12.0, "MB/s")],
            ..RunResult::default()
        };
        let html = html("a run", &run);
        let banner = html.find("it was &lt;late&gt;").unwrap();
        assert!(banner < html.find("class=\"tiles\"").unwrap());
        assert!(html.contains("2 records were sent and never consumed"));
    }
}
