//! Numbers as people write them on the command line, and as they read them in a report.

use std::str::FromStr;
use std::time::Duration;

/// A number of bytes: `4096`, `1MB`, `64Ki`, `2GB`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Size(pub u64);

impl FromStr for Size {
    type Err = String;

    fn from_str(text: &str) -> Result<Size, String> {
        let digits = text
            .find(|c: char| !c.is_ascii_digit())
            .unwrap_or(text.len());
        let unit: u64 = match &text[digits..] {
            "" | "B" => 1,
            "k" | "K" | "kB" | "KB" => 1000,
            "M" | "MB" => 1_000_000,
            "G" | "GB" => 1_000_000_000,
            "Ki" | "KiB" => 1 << 10,
            "Mi" | "MiB" => 1 << 20,
            "Gi" | "GiB" => 1 << 30,
            other => {
                return Err(format!(
                    "'{other}' is no unit: known are kB, MB, GB, Ki, Mi, Gi"
                ));
            }
        };
        let number: u64 = text[..digits]
            .parse()
            .map_err(|_| format!("'{text}' is no size: write 4096, 64Ki or 1MB"))?;
        match number.checked_mul(unit) {
            Some(0) | None => Err(format!("'{text}' is out of range")),
            Some(bytes) => Ok(Size(bytes)),
        }
    }
}

/// MB a second.
///
/// # Errors
/// A sentence for the command line.
pub fn parse_rate(text: &str) -> Result<f64, String> {
    positive(text, 1_000_000.0)
}

/// Seconds, 0 too.
///
/// # Errors
/// A sentence for the command line.
pub fn parse_seconds(text: &str) -> Result<Duration, String> {
    if text == "0" {
        return Ok(Duration::ZERO);
    }
    positive(text, 1e7).map(Duration::from_secs_f64)
}

/// Milliseconds, 0 too.
///
/// # Errors
/// A sentence for the command line.
pub fn parse_ms(text: &str) -> Result<f64, String> {
    if text == "0" {
        return Ok(0.0);
    }
    positive(text, 60_000.0)
}

/// A factor between two steps, above 1.
///
/// # Errors
/// A sentence for the command line.
pub fn parse_factor(text: &str) -> Result<f64, String> {
    positive(text, 100.0).and_then(|factor| match factor > 1.0 {
        true => Ok(factor),
        false => Err(format!("'{text}' is not above 1")),
    })
}

fn positive(text: &str, max: f64) -> Result<f64, String> {
    match text.parse::<f64>() {
        Ok(number) if number > 0.0 && number <= max => Ok(number),
        _ => Err(format!("'{text}' is not a number above 0 and up to {max}")),
    }
}

/// To about three digits: `0.0123`, `1.23`, `123`, `12345`.
pub fn three_digits(value: f64) -> String {
    let size = value.abs();
    let decimals = match size {
        _ if size == 0.0 || size >= 100.0 => 0,
        _ if size >= 10.0 => 1,
        _ if size >= 1.0 => 2,
        _ if size >= 0.1 => 3,
        _ => 4,
    };
    format!("{value:.decimals$}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_have_decimal_and_binary_units() {
        assert_eq!("4096".parse(), Ok(Size(4096)));
        assert_eq!("1MB".parse(), Ok(Size(1_000_000)));
        assert_eq!("64Ki".parse(), Ok(Size(65_536)));
        for wrong in ["", "MB", "1.5MB", "-1", "1XB", "0", "99999999999GB"] {
            assert!(wrong.parse::<Size>().is_err(), "{wrong}");
        }
    }

    #[test]
    fn rates_and_times_are_finite_and_positive() {
        for wrong in ["-1", "nan", "inf", "1e99", "x", ""] {
            assert!(parse_rate(wrong).is_err(), "{wrong}");
            assert!(parse_seconds(wrong).is_err(), "{wrong}");
            assert!(parse_ms(wrong).is_err(), "{wrong}");
            assert!(parse_factor(wrong).is_err(), "{wrong}");
        }
        assert!(parse_rate("0").is_err());
        assert!(parse_factor("1").is_err());
        assert_eq!(parse_ms("0"), Ok(0.0));
        assert_eq!(parse_seconds("1.5"), Ok(Duration::from_millis(1500)));
    }

    #[test]
    fn numbers_are_read_at_about_three_digits() {
        let texts = [0.0, 0.01234, 0.1234, 1.234, 12.34, 1234.5].map(three_digits);
        assert_eq!(texts, ["0", "0.0123", "0.123", "1.23", "12.3", "1234"]);
    }
}
