//! Figures that there are for several numbers of partitions: a row a figure, a column a number.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use crate::plot::{Axis, Chart, Scale, Series, escape};
use crate::result::{Figure, LATENCY_PREFIX, RunResult};
use crate::units::three_digits;

/// What stands between the number and the figure's name.
pub const BETWEEN: &str = " partitions: ";
/// The figure that should not depend on the number.
const COST: &str = "broker, CPU for each GB";

/// One figure by number.
struct Row<'a> {
    name: &'a str,
    unit: &'a str,
    values: BTreeMap<u64, f64>,
}

/// The table, and the cost as a chart. Nothing if the run has no such figures.
pub fn html(run: &RunResult) -> String {
    let rows = rows(&run.figures);
    let Some(first) = rows.first() else {
        return String::new();
    };
    let counts: Vec<u64> = first.values.keys().copied().collect();
    let mut html = chart(&rows);
    html.push_str("<div class=\"scroll\"><table><thead><tr><th>partitions</th>");
    for count in &counts {
        let _ = write!(html, "<th>{count}</th>");
    }
    html.push_str("</tr></thead>");
    for row in &rows {
        let (name, unit) = (escape(row.name), escape(row.unit));
        let _ = write!(html, "<tr><td>{name} <small>{unit}</small></td>");
        for count in &counts {
            let value = row.values.get(count).map(|value| three_digits(*value));
            let _ = write!(html, "<td>{}</td>", value.unwrap_or_default());
        }
        html.push_str("</tr>");
    }
    html + "</table></div>\n"
}

fn rows(figures: &[Figure]) -> Vec<Row<'_>> {
    let mut rows: Vec<Row<'_>> = Vec::new();
    for figure in figures {
        let Some((count, name)) = figure.name.split_once(BETWEEN) else {
            continue;
        };
        let Ok(count) = count.parse() else {
            continue;
        };
        let name = name.strip_prefix(LATENCY_PREFIX).unwrap_or(name);
        match rows.iter_mut().find(|row| row.name == name) {
            Some(row) => drop(row.values.insert(count, figure.value)),
            None => rows.push(Row {
                name,
                unit: &figure.unit,
                values: BTreeMap::from([(count, figure.value)]),
            }),
        }
    }
    rows
}

fn chart(rows: &[Row<'_>]) -> String {
    let Some(cost) = rows.iter().find(|row| row.name == COST) else {
        return String::new();
    };
    let points: Vec<(f64, f64)> = cost.values.iter().map(|(&n, &v)| (n as f64, v)).collect();
    let chart = Chart {
        title: "What the same bytes cost the broker".to_owned(),
        x: Axis {
            label: "partitions".to_owned(),
            scale: Scale::logarithmic(points.iter().map(|point| point.0)),
        },
        y: Axis {
            label: "CPU s/GB".to_owned(),
            scale: Scale::linear(points.iter().map(|point| point.1)),
        },
        series: vec![Series {
            points,
            dots: true,
            ..Series::default()
        }],
        limits: Vec::new(),
    };
    chart.html()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_of_one_name_are_one_row_whatever_the_number() {
        let figures = vec![
            Figure::cost("1 partitions: created", 5.0, "ms"),
            Figure::cost(format!("1 partitions: {COST}"), 0.5, "s/GB"),
            Figure::cost("100 partitions: created", 50.0, "ms"),
            Figure::cost(format!("100 partitions: {COST}"), 0.6, "s/GB"),
            Figure::cost("of another kind", 1.0, ""),
        ];
        let run = RunResult {
            figures,
            ..RunResult::default()
        };
        let html = html(&run);
        assert!(html.contains("<th>1</th><th>100</th>"), "{html}");
        assert!(html.contains("created <small>ms</small></td><td>5.00</td><td>50.0</td>"));
        assert_eq!(html.matches("<circle").count(), 2);
        assert!(!html.contains("of another kind"));
        assert_eq!(super::html(&RunResult::default()), "");
    }
}
