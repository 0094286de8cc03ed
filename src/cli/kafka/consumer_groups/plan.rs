//! What a reset of offsets is written in: topics with partitions, CSV, dates and durations. Pure.

use std::collections::BTreeMap;

use super::super::CommandError;
use super::super::dates::days_since_1970;
use crate::client::group_admin::TopicPartition;

/// The partitions of `topic:0,1,2`; `None` for a topic without a colon.
///
/// # Errors
/// Kafka's sentences.
pub fn partitions(text: &str) -> Result<Option<Vec<TopicPartition>>, CommandError> {
    let parts: Vec<&str> = text.split(':').collect();
    let (topic, listed) = match parts.as_slice() {
        [_] => return Ok(None),
        [topic, listed] if !listed.is_empty() => (*topic, *listed),
        _ => {
            return Err(CommandError::usage(format!(
                "Invalid topic arg '{text}', expected topic name and partitions"
            )));
        }
    };
    let number = |index: &str| match index.parse() {
        Ok(index) => Ok((topic.to_owned(), index)),
        Err(_) => Err(CommandError::usage(format!(
            "Invalid partition '{index}' specified in topic arg '{text}''"
        ))),
    };
    listed
        .split(',')
        .map(number)
        .collect::<Result<_, _>>()
        .map(Some)
}

/// A plan by group.
pub type Plan = BTreeMap<String, BTreeMap<TopicPartition, i64>>;

/// Reads CSV: `topic,partition,offset` of the only group, or `group,topic,partition,offset`.
///
/// # Errors
/// A sentence with the number of the line.
pub fn parse_csv(text: &str, only_group: Option<&str>) -> Result<Plan, CommandError> {
    let mut plan = Plan::new();
    for (index, line) in text.lines().enumerate() {
        if line.trim().is_empty() {
            continue;
        }
        let fields = split_csv(line);
        let fields: Vec<&str> = fields.iter().map(|field| field.trim()).collect();
        let wrong = || {
            CommandError::failed(format!(
                "line {} of the file, which is no `topic,partition,offset` of one group and no \
                 `group,topic,partition,offset`: {line}",
                index + 1
            ))
        };
        let (group, topic, partition, offset) = match (fields.as_slice(), only_group) {
            ([topic, partition, offset], Some(group)) => (group, *topic, *partition, *offset),
            ([group, topic, partition, offset], _) => (*group, *topic, *partition, *offset),
            _ => return Err(wrong()),
        };
        let partition = partition.parse().map_err(|_| wrong())?;
        let offset = offset.parse().map_err(|_| wrong())?;
        plan.entry(group.to_owned())
            .or_default()
            .insert((topic.to_owned(), partition), offset);
    }
    Ok(plan)
}

/// The fields of a line; a field in quotation marks may hold commas, and a doubled mark for one.
fn split_csv(line: &str) -> Vec<String> {
    let mut fields = vec![String::new()];
    let mut quoted = false;
    let mut chars = line.chars().peekable();
    while let Some(c) = chars.next() {
        let last = fields.last_mut().expect("there is a first field");
        match c {
            '"' if quoted && chars.peek() == Some(&'"') => {
                chars.next();
                last.push('"');
            }
            '"' => quoted = !quoted,
            ',' if !quoted => fields.push(String::new()),
            c => last.push(c),
        }
    }
    fields
}

/// A line of CSV for each partition; with the group in front unless it is the only one.
pub fn to_csv(plan: &Plan, only_group: bool) -> String {
    let mut text = String::new();
    for (group, offsets) in plan {
        for ((topic, partition), offset) in offsets {
            if !only_group {
                text.push_str(&quoted(group));
                text.push(',');
            }
            text.push_str(&format!("{},{partition},{offset}\n", quoted(topic)));
        }
    }
    text
}

fn quoted(field: &str) -> String {
    match field.contains([',', '"', ' ']) {
        true => format!("\"{}\"", field.replace('"', "\"\"")),
        false => field.to_owned(),
    }
}

/// Milliseconds since 1970 of `2026-01-31T12:00:00.000`, which is UTC unless `Z`, `+01:00`, `+0100` or `+01` follows.
///
/// # Errors
/// Java's sentence when there is no `T`, else ours.
pub fn datetime_ms(text: &str) -> Result<i64, CommandError> {
    let Some((date, time)) = text.split_once('T') else {
        return Err(CommandError::failed(
            "java.text.ParseException: Error parsing timestamp. It does not contain a 'T' according to ISO8601 format",
        ));
    };
    let wrong = || {
        CommandError::failed(format!(
            "java.text.ParseException: Unparseable date: \"{text}\"; write it as 2026-01-31T12:00:00.000"
        ))
    };
    let (time, zone_minutes) = split_zone(time).ok_or_else(wrong)?;
    let numbers = |text: &str, separator: char| -> Option<Vec<i64>> {
        let digits = |part: &str| {
            let plain =
                !part.is_empty() && part.len() <= 6 && part.bytes().all(|b| b.is_ascii_digit());
            plain.then(|| part.parse().ok()).flatten()
        };
        text.split(separator).map(digits).collect()
    };
    let (clock, fraction) = time.split_once('.').unwrap_or((time, "0"));
    let date = numbers(date, '-').ok_or_else(wrong)?;
    let clock = numbers(clock, ':').ok_or_else(wrong)?;
    let millis = fraction_ms(fraction).ok_or_else(wrong)?;
    let ([year, month, day], [hour, minute, second]) = (date.as_slice(), clock.as_slice()) else {
        return Err(wrong());
    };
    let legal = (1..=12).contains(month)
        && (1..=days_in_month(*year, *month)).contains(day)
        && *hour < 24
        && *minute < 60
        && *second < 61;
    if !legal {
        return Err(wrong());
    }
    let days = days_since_1970(*year, *month, *day);
    let minutes = (days * 24 + hour) * 60 + minute - zone_minutes;
    Ok((minutes * 60 + second) * 1000 + millis)
}

fn fraction_ms(digits: &str) -> Option<i64> {
    if digits.is_empty() || !digits.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    format!("{digits:0<3}")[..3].parse().ok()
}

/// A time and the minutes its zone is ahead of UTC.
fn split_zone(time: &str) -> Option<(&str, i64)> {
    if let Some(time) = time.strip_suffix('Z') {
        return Some((time, 0));
    }
    let Some(at) = time.find(['+', '-']) else {
        return Some((time, 0));
    };
    let (time, zone) = time.split_at(at);
    let digits = zone[1..].replace(':', "");
    let plain = matches!(digits.len(), 2 | 4) && digits.bytes().all(|b| b.is_ascii_digit());
    if !plain {
        return None;
    }
    let hours: i64 = digits[..2].parse().ok()?;
    let minutes: i64 = digits[2..].parse().unwrap_or(0);
    let ahead = hours * 60 + minutes;
    Some((time, if zone.starts_with('-') { -ahead } else { ahead }))
}

fn days_in_month(year: i64, month: i64) -> i64 {
    let leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
    match month {
        4 | 6 | 9 | 11 => 30,
        2 if leap => 29,
        2 => 28,
        _ => 31,
    }
}

/// Milliseconds of `P1DT2H3M4.5S`, each part optional, as Java's `Duration.parse` reads it.
///
/// # Errors
/// Java's sentence.
pub fn duration_ms(text: &str) -> Result<i64, CommandError> {
    parse_duration(text).ok_or_else(|| CommandError::failed("Text cannot be parsed to a Duration"))
}

fn parse_duration(text: &str) -> Option<i64> {
    let upper = text.to_ascii_uppercase();
    let (sign, rest) = match upper.strip_prefix('-') {
        Some(rest) => (-1.0, rest),
        None => (1.0, upper.strip_prefix('+').unwrap_or(&upper)),
    };
    let rest = rest.strip_prefix('P')?;
    let (days, time) = match rest.split_once('T') {
        Some((_, "")) => return None,
        Some((days, time)) => (days, time),
        None => (rest, ""),
    };
    let mut total = 0.0;
    let mut found = false;
    for (mut part, units) in [
        (days, &[('D', 86_400_000.0)][..]),
        (time, &[('H', 3_600_000.0), ('M', 60_000.0), ('S', 1000.0)]),
    ] {
        for (unit, ms) in units {
            if let Some((number, more)) = part.split_once(*unit) {
                let number: f64 = number.parse().ok().filter(|n: &f64| n.is_finite())?;
                total += number * ms;
                found = true;
                part = more;
            }
        }
        if !part.is_empty() {
            return None;
        }
    }
    found.then_some((sign * total) as i64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn partitions_follow_the_topic() {
        assert!(partitions("orders").unwrap().is_none());
        assert_eq!(
            partitions("orders:0,2").unwrap().unwrap(),
            [("orders".to_owned(), 0), ("orders".to_owned(), 2)]
        );
        assert_eq!(
            partitions("a:x").unwrap_err().to_string(),
            "Invalid partition 'x' specified in topic arg 'a:x''"
        );
        assert!(partitions("a:0:1").is_err() && partitions("a:").is_err());
    }

    #[test]
    fn a_plan_reads_back_from_its_csv() {
        let offsets =
            BTreeMap::from([(("orders".to_owned(), 0), 5), (("orders".to_owned(), 1), 0)]);
        let one = Plan::from([("g".to_owned(), offsets.clone())]);
        assert_eq!(to_csv(&one, true), "orders,0,5\norders,1,0\n");
        assert_eq!(parse_csv(&to_csv(&one, true), Some("g")).unwrap(), one);
        let two = Plan::from([
            ("a,\"b".to_owned(), offsets.clone()),
            ("g".to_owned(), offsets),
        ]);
        assert_eq!(parse_csv(&to_csv(&two, false), None).unwrap(), two);
        assert!(parse_csv("orders,0,5", None).is_err());
        assert!(parse_csv("orders,x,5", Some("g")).is_err());
    }

    #[test]
    fn dates_are_utc_unless_they_say_otherwise() {
        for (text, ms) in [
            ("1970-01-01T00:00:00.000", 0),
            ("2026-11-26T17:30:00.123", 1_795_714_200_123),
            ("2026-11-26T17:30:00.123Z", 1_795_714_200_123),
            ("2026-11-26T18:30:00.123+01:00", 1_795_714_200_123),
            ("2026-11-26T16:00:00.123-0130", 1_795_714_200_123),
            ("2024-02-29T00:00:00", 1_709_164_800_000),
        ] {
            assert_eq!(datetime_ms(text).unwrap(), ms, "{text}");
        }
        for text in [
            "x",
            "2023-02-29T00:00:00.000",
            "2026-11-26T25:00:00.000",
            "T",
            "2026-11-26T1:1:1.000+x",
        ] {
            assert!(datetime_ms(text).is_err(), "{text}");
        }
    }

    #[test]
    fn durations_are_javas() {
        for (text, ms) in [
            ("PT1M", 60_000),
            ("P1DT2H3M4.5S", 93_784_500),
            ("-PT1S", -1000),
            ("pt15m", 900_000),
        ] {
            assert_eq!(duration_ms(text).unwrap(), ms, "{text}");
        }
        for text in ["x", "P", "PT", "1M", "PT1X", "PTM"] {
            assert!(duration_ms(text).is_err(), "{text}");
        }
    }
}
