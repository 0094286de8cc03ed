//! Brokers beside each other.

use std::fmt::Write as _;

use hdrhistogram::Histogram;

use super::{banner, curves, details};
use crate::comparison::{Comparison, Row, Workload};
use crate::hdr_files;
use crate::plot::bars::{self, Bar};
use crate::plot::escape;
use crate::result::{Better, LATENCY_PREFIX};
use crate::statistics::Spread;
use crate::units::three_digits;

/// The section of a comparison.
pub fn html(name: &str, comparison: &Comparison) -> String {
    let mut html = format!("<h2>{}</h2>\n", escape(name));
    let peers: Vec<String> = comparison.peers.iter().map(|peer| escape(peer)).collect();
    let warm = three_digits(comparison.warm_bytes as f64 / 1e9);
    let pinned = match &comparison.pinned {
        Some((server, load)) => format!("brokers on CPUs {server:?}, load on {load:?}"),
        None => "nobody pinned".to_owned(),
    };
    let _ = writeln!(
        html,
        "<p class=\"sub\">{}; runs in turn, {warm} GB of memory touched before each; {pinned}</p>",
        peers.join(" and ")
    );
    if comparison.interrupted {
        html.push_str(&banner(
            "Interrupted: the figures are of the rounds before.",
        ));
    }
    for workload in &comparison.workloads {
        html.push_str(&of_workload(workload, &comparison.peers));
    }
    html + &details(&comparison.fingerprint)
}

fn of_workload(workload: &Workload, peers: &[String]) -> String {
    let rows = workload.rows();
    let rounds = workload.rounds.len();
    let mut html = format!(
        "<h3><code>{}</code></h3><p class=\"sub\">median of {rounds} rounds; lines show the lowest and the highest</p>\n",
        escape(&workload.command)
    );
    match workload.invalid_runs() {
        0 => {}
        invalid => html.push_str(&banner(&format!(
            "The load generator itself was late in {invalid} runs: their latencies are left out."
        ))),
    }
    html.push_str("<div class=\"grid2\">");
    for row in rows.iter().filter(|row| row.better != Better::Neither) {
        html.push_str(&of_row(row, peers));
    }
    html.push_str("</div>\n");
    html.push_str(&distributions(workload, peers));
    html + &table(&rows, peers)
}

fn of_row(row: &Row, peers: &[String]) -> String {
    let bar = |(index, name): (usize, &String)| {
        let spread = row.values.get(index).copied().flatten()?;
        let ratio = row.ratios.get(index).copied().flatten();
        let ratio = ratio.filter(|_| index > 0);
        Some(Bar {
            name: name.clone(),
            spread,
            note: ratio.map_or_else(String::new, |r| format!("{}x", three_digits(r.median))),
        })
    };
    let bars: Vec<Bar> = peers.iter().enumerate().filter_map(bar).collect();
    let good = match row.better {
        Better::Lower => "less is better",
        Better::Higher => "more is better",
        Better::Neither => "",
    };
    let title = row.name.strip_prefix(LATENCY_PREFIX).unwrap_or(&row.name);
    bars::html(title, &format!("{}, {good}", row.unit), &bars)
}

/// What each broker's valid runs were about, all rounds together.
fn distributions(workload: &Workload, peers: &[String]) -> String {
    let of_peer = |(index, name): (usize, &String)| {
        let runs = workload.rounds.iter().filter_map(|round| round.get(index));
        let valid = runs.filter(|run| run.is_valid());
        let histograms = valid.filter_map(|run| hdr_files::decode(&run.headline()?.hdr));
        let sum = |mut sum: Histogram<u64>, next: Histogram<u64>| {
            sum += next;
            sum
        };
        Some((name.clone(), histograms.reduce(sum)?, false))
    };
    let lines = peers.iter().enumerate().filter_map(of_peer).collect();
    curves::distributions("Distribution of latencies, all rounds together", lines).html()
}

fn table(rows: &[Row], peers: &[String]) -> String {
    let mut html =
        String::from("<div class=\"scroll\"><table class=\"dense\"><thead><tr><th></th>");
    for name in peers {
        let _ = write!(html, "<th>{}</th>", escape(name));
    }
    for name in peers.iter().skip(1) {
        let _ = write!(html, "<th>{} / {}</th>", escape(name), escape(&peers[0]));
    }
    html.push_str("</tr></thead>");
    for row in rows {
        let name = row.name.strip_prefix(LATENCY_PREFIX).unwrap_or(&row.name);
        let (name, unit) = (escape(name), escape(&row.unit));
        let _ = write!(html, "<tr><td>{name} <small>{unit}</small></td>");
        for value in &row.values {
            let _ = write!(html, "<td>{}</td>", cell(value.as_ref()));
        }
        for ratio in row.ratios.iter().skip(1) {
            let class = verdict(ratio.as_ref(), row.better);
            let _ = write!(html, "<td class=\"{class}\">{}</td>", cell(ratio.as_ref()));
        }
        html.push_str("</tr>");
    }
    html + "</table></div>\n"
}

fn cell(spread: Option<&Spread>) -> String {
    match spread {
        None => "–".to_owned(),
        Some(Spread { median, low, high }) => format!(
            "{} <small>{} – {}</small>",
            three_digits(*median),
            three_digits(*low),
            three_digits(*high)
        ),
    }
}

/// A ratio says something where all rounds agree.
fn verdict(ratio: Option<&Spread>, better: Better) -> &'static str {
    match (ratio, better) {
        (Some(ratio), Better::Lower) if ratio.high < 1.0 => "good",
        (Some(ratio), Better::Lower) if ratio.low > 1.0 => "bad",
        (Some(ratio), Better::Higher) if ratio.low > 1.0 => "good",
        (Some(ratio), Better::Higher) if ratio.high < 1.0 => "bad",
        _ => "",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_ratio_whose_rounds_disagree_says_nothing() {
        let spread = |low, high| Spread {
            median: 1.0,
            low,
            high,
        };
        assert_eq!(verdict(Some(&spread(0.5, 0.9)), Better::Lower), "good");
        assert_eq!(verdict(Some(&spread(1.1, 2.0)), Better::Lower), "bad");
        assert_eq!(verdict(Some(&spread(1.1, 2.0)), Better::Higher), "good");
        assert_eq!(verdict(Some(&spread(0.5, 2.0)), Better::Lower), "");
        assert_eq!(verdict(None, Better::Lower), "");
    }
}
