//! From values to places on an axis, and which values to name there.

use crate::units::three_digits;

/// How an axis shows values. Places go from 0 to 1.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Scale {
    /// Even.
    Linear {
        /// At 0.
        low: f64,
        /// At 1.
        high: f64,
    },
    /// Each factor as wide as the next.
    Logarithmic {
        /// At 0, above 0.
        low: f64,
        /// At 1.
        high: f64,
    },
    /// Of shares of all values: 90 %, 99 %, 99.9 % are equally far apart.
    Quantile {
        /// So many nines.
        nines: f64,
    },
}

/// About as many names as an axis has.
const TICKS: f64 = 6.0;

impl Scale {
    /// From 0 (or the lowest value below) to a round number above all values.
    pub fn linear(values: impl IntoIterator<Item = f64>) -> Scale {
        let (low, high) = ends(values);
        let low = low.min(0.0);
        let step = round_step((high - low).max(1e-9) / TICKS);
        Scale::Linear {
            low,
            high: low + ((high - low) / step).ceil().max(1.0) * step,
        }
    }

    /// From a power of ten below all positive values to a round number above.
    pub fn logarithmic(values: impl IntoIterator<Item = f64>) -> Scale {
        let positive = values.into_iter().filter(|value| *value > 0.0);
        let (low, high) = ends(positive);
        let (low, high) = match low.is_finite() && low > 0.0 {
            true => (low, high),
            false => (0.1, 1.0),
        };
        let below = |value: f64| {
            let decade = 10_f64.powf(value.log10().floor());
            [5.0, 2.0, 1.0]
                .map(|n| n * decade)
                .into_iter()
                .find(|at| *at <= value)
        };
        let above = |value: f64| {
            let decade = 10_f64.powf(value.log10().floor());
            [1.0, 2.0, 5.0, 10.0]
                .map(|n| n * decade)
                .into_iter()
                .find(|at| *at >= value)
        };
        let low = below(low).unwrap_or(low);
        let high = above(high).unwrap_or(high).max(low * 2.0);
        Scale::Logarithmic { low, high }
    }

    /// Up to the share beyond which there is one value of so many.
    pub fn quantile(count: u64) -> Scale {
        Scale::Quantile {
            nines: (count as f64).log10().clamp(1.0, 7.0),
        }
    }

    /// Where a value is; what is outside is at the end.
    pub fn place(&self, value: f64) -> f64 {
        self.unbounded(value).clamp(0.0, 1.0)
    }

    /// Whether a value is on the axis.
    pub fn has(&self, value: f64) -> bool {
        (0.0..=1.0).contains(&self.unbounded(value))
    }

    fn unbounded(&self, value: f64) -> f64 {
        match *self {
            Scale::Linear { low, high } => (value - low) / (high - low),
            Scale::Logarithmic { low, high } => {
                (value.max(low).log10() - low.log10()) / (high.log10() - low.log10())
            }
            Scale::Quantile { nines } => -(1.0 - value).max(1e-12).log10() / nines,
        }
    }

    /// Values to name, and their names.
    pub fn ticks(&self) -> Vec<(f64, String)> {
        match *self {
            Scale::Linear { low, high } => {
                let step = round_step((high - low) / TICKS);
                let count = ((high - low) / step).round() as u32;
                let at = |index| low + f64::from(index) * step;
                (0..=count).map(at).map(|at| (at, short(at))).collect()
            }
            Scale::Logarithmic { low, high } => {
                let decades = high.log10() - low.log10();
                let factors: &[f64] = if decades > 3.0 {
                    &[1.0]
                } else {
                    &[1.0, 2.0, 5.0]
                };
                let first = low.log10().floor() as i32;
                let last = high.log10().ceil() as i32;
                let all = (first..=last)
                    .flat_map(|decade| factors.iter().map(move |f| f * 10_f64.powi(decade)));
                let inside = |at: &f64| (low * 0.999..=high * 1.001).contains(at);
                all.filter(inside).map(|at| (at, short(at))).collect()
            }
            Scale::Quantile { nines } => {
                let names = [
                    "0", "90", "99", "99.9", "99.99", "99.999", "99.9999", "99.99999",
                ];
                let at = |(index, name): (usize, &&str)| {
                    (1.0 - 0.1_f64.powi(index as i32), format!("{name} %"))
                };
                let count = nines.floor() as usize + 1;
                names.iter().take(count).enumerate().map(at).collect()
            }
        }
    }
}

/// 1, 2 or 5 times a power of ten, not below `step`.
fn round_step(step: f64) -> f64 {
    let decade = 10_f64.powf(step.max(1e-12).log10().floor());
    let steps = [1.0, 2.0, 5.0, 10.0].map(|n| n * decade);
    steps
        .into_iter()
        .find(|at| *at >= step * 0.9999)
        .unwrap_or(step)
}

fn ends(values: impl IntoIterator<Item = f64>) -> (f64, f64) {
    let values = values.into_iter().filter(|value| value.is_finite());
    let ends = values.fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), value| {
        (low.min(value), high.max(value))
    });
    if ends.0.is_finite() { ends } else { (0.0, 1.0) }
}

/// `0.5`, `2`, `1500`: without digits that say nothing.
fn short(value: f64) -> String {
    let text = three_digits(value);
    match text.contains('.') {
        true => text.trim_end_matches('0').trim_end_matches('.').to_owned(),
        false => text,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(scale: &Scale) -> Vec<String> {
        scale.ticks().into_iter().map(|(_, name)| name).collect()
    }

    #[test]
    fn an_even_axis_starts_at_nothing_and_ends_at_a_round_number() {
        let scale = Scale::linear([3.0, 97.0]);
        assert_eq!(names(&scale), ["0", "20", "40", "60", "80", "100"]);
        assert_eq!(scale.place(50.0), 0.5);
        assert_eq!(scale.place(1e9), 1.0);
    }

    #[test]
    fn a_logarithmic_axis_names_powers_and_what_is_between_if_there_is_room() {
        let scale = Scale::logarithmic([0.15, 8.0]);
        assert_eq!(names(&scale), ["0.1", "0.2", "0.5", "1", "2", "5", "10"]);
        assert!((scale.place(1.0) - 0.5).abs() < 1e-9);
        assert_eq!(names(&Scale::logarithmic([0.1, 900.0])).len(), 5);
        // Nothing to show is no reason to fail.
        assert!(!names(&Scale::logarithmic([])).is_empty());
        assert!(!names(&Scale::logarithmic([0.0, -1.0])).is_empty());
        assert!(!names(&Scale::linear([f64::NAN])).is_empty());
    }

    #[test]
    fn nines_are_equally_far_apart() {
        let scale = Scale::quantile(10_000);
        assert_eq!(names(&scale), ["0 %", "90 %", "99 %", "99.9 %", "99.99 %"]);
        assert!((scale.place(0.99) - 0.5).abs() < 1e-9);
        assert_eq!(scale.place(1.0), 1.0);
    }
}
