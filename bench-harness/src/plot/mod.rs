//! Plots as SVG inside a page: lines over axes, and bars. Colours are classes (`c0` to `c5`), which the page's style sheet
//! knows, so that a page can be light or dark.
//!
//! It must never know brokers or runs: names and numbers in, SVG out.

pub mod bars;
mod scale;

use std::fmt::Write as _;

use crate::units::three_digits;

pub use scale::Scale;

const WIDTH: f64 = 780.0;
const HEIGHT: f64 = 300.0;
const LEFT: f64 = 64.0;
const RIGHT: f64 = 16.0;
const TOP: f64 = 14.0;
const BOTTOM: f64 = 46.0;
/// Colours there are.
pub const COLOURS: usize = 6;

/// One line.
#[derive(Debug, Clone, Default)]
pub struct Series {
    /// For the legend.
    pub name: String,
    /// In the order they are joined.
    pub points: Vec<(f64, f64)>,
    /// Which colour.
    pub colour: usize,
    /// Interrupted strokes: for what is not the subject.
    pub dashed: bool,
    /// A dot a point, with its numbers as a tooltip.
    pub dots: bool,
}

/// An axis.
#[derive(Debug, Clone)]
pub struct Axis {
    /// What it shows, with the unit.
    pub label: String,
    /// How.
    pub scale: Scale,
}

/// Lines over two axes.
#[derive(Debug, Clone)]
pub struct Chart {
    /// For who cannot see it.
    pub title: String,
    /// To the right.
    pub x: Axis,
    /// Upwards.
    pub y: Axis,
    /// The lines.
    pub series: Vec<Series>,
    /// Horizontal lines with a name each.
    pub limits: Vec<(f64, String)>,
}

impl Chart {
    /// The whole figure: legend and plot. Nothing if there is nothing to see.
    pub fn html(&self) -> String {
        if self.series.iter().all(|series| series.points.is_empty()) {
            return String::new();
        }
        format!("<figure>{}{}</figure>\n", self.legend(), self.svg())
    }

    fn legend(&self) -> String {
        let mut html = format!("<figcaption><b>{}</b>", escape(&self.title));
        for series in self.series.iter().filter(|series| !series.name.is_empty()) {
            let dashed = if series.dashed { " dashed" } else { "" };
            let (colour, name) = (series.colour % COLOURS, escape(&series.name));
            let _ = write!(
                html,
                r#"<span class="key"><i class="line c{colour}{dashed}"></i>{name}</span>"#
            );
        }
        html + "</figcaption>"
    }

    fn svg(&self) -> String {
        let title = escape(&self.title);
        let mut svg =
            format!(r#"<svg viewBox="0 0 {WIDTH} {HEIGHT}" role="img" aria-label="{title}">"#);
        self.draw_axes(&mut svg);
        for (value, name) in &self.limits {
            let y = self.y_of(*value);
            if self.y.scale.has(*value) {
                let (right, above) = (WIDTH - RIGHT, y - 5.0);
                let _ = write!(
                    svg,
                    r#"<line class="limit" x1="{LEFT}" x2="{right}" y1="{y:.1}" y2="{y:.1}"/><text class="limit" x="{right}" y="{above:.1}" text-anchor="end">{}</text>"#,
                    escape(name)
                );
            }
        }
        self.series
            .iter()
            .for_each(|series| self.draw(series, &mut svg));
        svg + "</svg>"
    }

    fn draw_axes(&self, svg: &mut String) {
        let (bottom, right) = (HEIGHT - BOTTOM, WIDTH - RIGHT);
        for (value, label) in self.y.scale.ticks() {
            let y = self.y_of(value);
            let _ = write!(
                svg,
                r#"<line class="grid" x1="{LEFT}" x2="{right}" y1="{y:.1}" y2="{y:.1}"/><text x="{:.1}" y="{:.1}" text-anchor="end">{label}</text>"#,
                LEFT - 8.0,
                y + 4.0
            );
        }
        for (value, label) in self.x.scale.ticks() {
            let x = self.x_of(value);
            let _ = write!(
                svg,
                r#"<line class="grid" x1="{x:.1}" x2="{x:.1}" y1="{TOP}" y2="{bottom}"/><text x="{x:.1}" y="{:.1}" text-anchor="middle">{label}</text>"#,
                bottom + 18.0
            );
        }
        let middle = LEFT + (WIDTH - LEFT - RIGHT) / 2.0;
        let height = TOP + (bottom - TOP) / 2.0;
        let _ = write!(
            svg,
            r#"<line class="axis" x1="{LEFT}" x2="{right}" y1="{bottom}" y2="{bottom}"/><text class="name" x="{middle}" y="{:.1}" text-anchor="middle">{}</text><text class="name" transform="translate(13 {height:.1}) rotate(-90)" text-anchor="middle">{}</text>"#,
            HEIGHT - 8.0,
            escape(&self.x.label),
            escape(&self.y.label)
        );
    }

    fn draw(&self, series: &Series, svg: &mut String) {
        let colour = series.colour % COLOURS;
        let dashed = if series.dashed { " dashed" } else { "" };
        let at = |&(x, y): &(f64, f64)| (self.x_of(x), self.y_of(y));
        let mut path = String::new();
        for (x, y) in series.points.iter().map(at) {
            let command = if path.is_empty() { 'M' } else { 'L' };
            let _ = write!(path, "{command}{x:.1} {y:.1}");
        }
        let _ = write!(svg, r#"<path class="line c{colour}{dashed}" d="{path}"/>"#);
        for point in series.points.iter().filter(|_| series.dots) {
            let (x, y) = at(point);
            let (x_text, y_text) = (three_digits(point.0), three_digits(point.1));
            let (x_name, y_name) = (escape(&self.x.label), escape(&self.y.label));
            let name = escape(&series.name);
            let _ = write!(
                svg,
                r#"<circle class="dot c{colour}" cx="{x:.1}" cy="{y:.1}" r="4"><title>{name}
{x_name}: {x_text}
{y_name}: {y_text}</title></circle>"#
            );
        }
    }

    fn x_of(&self, value: f64) -> f64 {
        LEFT + self.x.scale.place(value) * (WIDTH - LEFT - RIGHT)
    }

    fn y_of(&self, value: f64) -> f64 {
        HEIGHT - BOTTOM - self.y.scale.place(value) * (HEIGHT - TOP - BOTTOM)
    }
}

/// Text inside HTML and its attributes.
pub fn escape(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
        .replace('"', "&quot;")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn chart(points: Vec<(f64, f64)>) -> Chart {
        Chart {
            title: "a <b>".to_owned(),
            x: Axis {
                label: "s".to_owned(),
                scale: Scale::linear([0.0, 10.0]),
            },
            y: Axis {
                label: "ms".to_owned(),
                scale: Scale::linear([0.0, 5.0]),
            },
            series: vec![Series {
                name: "one".to_owned(),
                points,
                dots: true,
                ..Series::default()
            }],
            limits: vec![(2.0, "limit".to_owned()), (900.0, "far away".to_owned())],
        }
    }

    #[test]
    fn points_are_drawn_inside_the_axes_and_names_cannot_break_the_page() {
        let html = chart(vec![(0.0, 0.0), (10.0, 5.0)]).html();
        assert!(
            html.contains(&format!("M{LEFT:.1} {:.1}", HEIGHT - BOTTOM)),
            "{html}"
        );
        assert!(html.contains("a &lt;b&gt;") && !html.contains("a <b>"));
        assert!(html.contains(">limit<") && !html.contains("far away"));
        assert_eq!(html.matches("<circle").count(), 2);
    }

    #[test]
    fn a_chart_without_points_is_left_out() {
        assert_eq!(chart(Vec::new()).html(), "");
    }
}
