//! Days of the calendar, and times in the letters of Java's `SimpleDateFormat`. UTC. Pure.

const DAY_MS: i64 = 86_400_000;

/// Days from 1970-01-01 to a day of the proleptic Gregorian calendar; the year begins in March, so that the leap day is its last.
pub fn days_since_1970(year: i64, month: i64, day: i64) -> i64 {
    let year = if month <= 2 { year - 1 } else { year };
    let era = year.div_euclid(400);
    let year_of_era = year.rem_euclid(400);
    let day_of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    let day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
    era * 146_097 + day_of_era - 719_468
}

/// Year, month and day that are so many days after 1970-01-01.
fn date(days: i64) -> (i64, i64, i64) {
    let days = days + 719_468;
    let era = days.div_euclid(146_097);
    let day_of_era = days.rem_euclid(146_097);
    let year_of_era =
        (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * month + 2) / 5 + 1;
    let month = if month < 10 { month + 3 } else { month - 9 };
    let year = year_of_era + era * 400 + i64::from(month <= 2);
    (year, month, day)
}

/// A time in the letters `y M d H m s S`; text between `'` stands for itself.
///
/// # Errors
/// A sentence for any other letter.
pub fn format(pattern: &str, ms: i64) -> Result<String, String> {
    let (year, month, day) = date(ms.div_euclid(DAY_MS));
    let rest = ms.rem_euclid(DAY_MS);
    let mut text = String::new();
    let mut quoted = false;
    let mut chars = pattern.chars().peekable();
    while let Some(c) = chars.next() {
        if c == '\'' {
            quoted = !quoted;
            continue;
        }
        if quoted || !c.is_ascii_alphabetic() {
            text.push(c);
            continue;
        }
        let mut width = 1;
        while chars.next_if_eq(&c).is_some() {
            width += 1;
        }
        let number = match c {
            'y' if width == 2 => year % 100,
            'y' => year,
            'M' if width <= 2 => month,
            'd' => day,
            'H' => rest / 3_600_000,
            'm' => rest / 60_000 % 60,
            's' => rest / 1000 % 60,
            'S' => rest % 1000,
            _ => {
                return Err(format!(
                    "the date format {pattern} has {c}, which is none of y M d H m s S"
                ));
            }
        };
        text.push_str(&format!("{number:0width$}"));
    }
    Ok(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_day_of_a_long_time_is_found_again() {
        for days in (-800_000..800_000).step_by(97) {
            let (year, month, day) = date(days);
            assert_eq!(days_since_1970(year, month, day), days);
        }
        assert_eq!(date(0), (1970, 1, 1));
        assert_eq!(date(days_since_1970(2024, 2, 29)), (2024, 2, 29));
    }

    #[test]
    fn times_are_written_in_javas_letters() {
        let ms = 1_795_714_200_123;
        assert_eq!(
            format("yyyy-MM-dd HH:mm:ss:SSS", ms).unwrap(),
            "2026-11-26 17:30:00:123"
        );
        assert_eq!(format("yy'T'H", ms).unwrap(), "26T17");
        assert!(format("EEE", ms).is_err());
    }
}
