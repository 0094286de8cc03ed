//! Bars with their spread: one group a figure, one bar a broker.

use std::fmt::Write as _;

use super::{COLOURS, escape};
use crate::statistics::Spread;
use crate::units::three_digits;

const WIDTH: f64 = 380.0;
const BAR: f64 = 20.0;
const GAP: f64 = 8.0;
const LEFT: f64 = 96.0;
/// Room for the number behind the longest bar.
const RIGHT: f64 = 92.0;

/// One bar.
#[derive(Debug, Clone)]
pub struct Bar {
    /// Whose.
    pub name: String,
    /// How long, and between which ends.
    pub spread: Spread,
    /// Behind the number.
    pub note: String,
}

/// A figure with its bars. The title says which way is good.
pub fn html(title: &str, unit: &str, bars: &[Bar]) -> String {
    let longest = bars.iter().map(|bar| bar.spread.high).fold(0.0, f64::max);
    if longest <= 0.0 {
        return String::new();
    }
    let height = bars.len() as f64 * (BAR + GAP) + GAP;
    let length = |value: f64| value.max(0.0) / longest * (WIDTH - LEFT - RIGHT);
    let mut svg = format!(
        r#"<figure class="bars"><figcaption><b>{}</b> {}</figcaption><svg viewBox="0 0 {WIDTH} {height}" role="img" aria-label="{}">"#,
        escape(title),
        escape(unit),
        escape(title)
    );
    for (index, bar) in bars.iter().enumerate() {
        let y = GAP + index as f64 * (BAR + GAP);
        let (middle, colour) = (y + BAR / 2.0, index % COLOURS);
        let Spread { median, low, high } = bar.spread;
        let (low_x, high_x) = (LEFT + length(low), LEFT + length(high));
        let _ = write!(
            svg,
            r#"<text x="{:.1}" y="{:.1}" text-anchor="end">{}</text><rect class="bar c{colour}" x="{LEFT}" y="{y}" width="{:.1}" height="{BAR}" rx="2"><title>{} - {}</title></rect>"#,
            LEFT - 8.0,
            middle + 4.0,
            escape(&bar.name),
            length(median).max(1.0),
            three_digits(low),
            three_digits(high),
        );
        if high > low {
            let (top, bottom) = (middle - 4.0, middle + 4.0);
            let _ = write!(
                svg,
                r#"<path class="spread" d="M{low_x:.1} {middle}H{high_x:.1}M{low_x:.1} {top}V{bottom}M{high_x:.1} {top}V{bottom}"/>"#
            );
        }
        let _ = write!(
            svg,
            r#"<text class="value" x="{:.1}" y="{:.1}">{} <tspan class="name">{}</tspan></text>"#,
            high_x + 7.0,
            middle + 4.0,
            three_digits(median),
            escape(&bar.note)
        );
    }
    svg + "</svg></figure>\n"
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bar(median: f64, low: f64, high: f64) -> Bar {
        Bar {
            name: "a&b".to_owned(),
            spread: Spread { median, low, high },
            note: "0.50x".to_owned(),
        }
    }

    #[test]
    fn bars_are_as_long_as_their_values_and_show_their_spread() {
        let html = html("p99", "ms", &[bar(5.0, 4.0, 10.0), bar(10.0, 10.0, 10.0)]);
        let full = WIDTH - LEFT - RIGHT;
        assert!(
            html.contains(&format!(r#"width="{:.1}""#, full / 2.0)),
            "{html}"
        );
        assert!(html.contains(&format!(r#"width="{full:.1}""#)));
        assert_eq!(html.matches(r#"class="spread""#).count(), 1);
        assert!(html.contains("a&amp;b"));
    }

    #[test]
    fn nothing_to_show_is_no_figure() {
        assert_eq!(html("p99", "ms", &[bar(0.0, 0.0, 0.0)]), "");
        assert_eq!(html("p99", "ms", &[]), "");
    }
}
