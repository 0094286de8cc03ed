//! Damage inside of partitions: every field of a batch, indexes, and the small files.

use std::collections::BTreeSet;

use vltava::wire::ErrorCode;

use crate::cases::{CLEAN, Case, KILLED, Outcome, SEALED};
use crate::damage::Part;
use crate::fixture::*;
use crate::harness::requests::LIST_OFFSETS;
use crate::harness::wire_client::WireClient;
use crate::reading::{Reading, check, lines_about, read};

use Outcome::*;

#[test]
fn after_a_clean_stop_each_damaged_partition_gives_right_records_or_errors() {
    let cases: Vec<&Case> = SEALED.iter().chain(CLEAN).collect();
    run(State::Clean, &cases, CLEAN_END);
}

#[test]
fn after_a_kill_each_damaged_partition_is_cut_repaired_or_gives_errors() {
    let cases: Vec<&Case> = KILLED.iter().chain(SEALED).take(63).collect();
    run(State::Killed, &cases, KILLED_END);
}

fn run(state: State, cases: &[&Case], end: i64) {
    assert!(
        cases.len() < PARTITIONS as usize,
        "one partition stays whole"
    );
    let data = copy(state);
    for (partition, case) in cases.iter().enumerate() {
        (case.damage)(&Part::new(data.path(), partition as i32));
    }
    let (code, checked) = check(data.path(), &[]);
    assert_eq!(code, 1, "{checked}");
    let mut broken = Vec::new();
    for partition in 0..PARTITIONS {
        let case = cases.get(partition as usize);
        broken.extend(misses_in_check(
            data.path(),
            partition,
            case.copied(),
            &checked,
        ));
    }
    let (mut broker, mut client) = serve(data.path());
    let mut offline = Vec::new();
    for partition in 0..PARTITIONS {
        let (name, outcome) = match cases.get(partition as usize) {
            Some(case) => (case.name, case.outcome.clone()),
            None => ("whole", All),
        };
        if matches!(outcome, Offline) {
            offline.push((partition, name));
            let error = client.fetch(TOPIC, partition, 0).error_code;
            if error == ErrorCode::NONE {
                broken.push(format!("{name}: the partition is served"));
            }
            continue;
        }
        let reading = read(&mut client, partition);
        if let Some(what) = unlike(&reading, &outcome, end) {
            broken.push(format!("{name} (partition {partition}): {what}"));
        }
        broken.extend(
            wrong_times(&mut client, partition, &outcome).map(|what| format!("{name}: {what}")),
        );
    }
    drop(client);
    broker.signal("TERM");
    let (_, log) = broker.wait();
    assert!(!log.contains("panicked"), "{log}");
    for (partition, name) in offline {
        let folder = Part::new(data.path(), partition).dir.display().to_string();
        if !log.contains(&folder) {
            broken.push(format!("{name}: {folder} is not in the log"));
        }
    }
    assert!(
        broken.is_empty(),
        "\n{}\n\nthe broker's log:\n{log}",
        broken.join("\n")
    );
}

fn misses_in_check(
    data: &std::path::Path,
    partition: i32,
    case: Option<&Case>,
    checked: &str,
) -> Option<String> {
    let lines = lines_about(checked, &Part::new(data, partition).dir);
    match case {
        Some(case) if !case.told.is_empty() => {
            let told = lines.iter().any(|line| line.contains(case.told));
            (!told).then(|| {
                format!(
                    "{}: the check does not say {:?}: {lines:#?}",
                    case.name, case.told
                )
            })
        }
        case => (!lines.is_empty()).then(|| {
            format!(
                "{}: the check says {lines:#?}",
                case.map_or("whole", |case| case.name)
            )
        }),
    }
}

/// What is not as it should be.
fn unlike(reading: &Reading, outcome: &Outcome, end: i64) -> Option<String> {
    let (mut refused, mut skipped, mut ends) = (0..0, 0..0, end);
    match outcome {
        All => {}
        Refused(range) => refused = range.clone(),
        MayBeRefused(range) => {
            let within = reading.refused.iter().all(|offset| range.contains(offset));
            let others = (0..end).filter(|offset| !reading.refused.contains(offset));
            let right = others.eq(reading.right.iter().copied());
            return (!within || !right || !reading.wrong.is_empty())
                .then(|| format!("{reading:?}"));
        }
        EndsAt(at) => ends = *at,
        Skipped(range) => skipped = range.clone(),
        Untold | Offline => return None,
    }
    let expected = Reading {
        right: (0..ends)
            .filter(|offset| !refused.contains(offset) && !skipped.contains(offset))
            .collect(),
        refused: refused.collect(),
        skipped: skipped.collect::<BTreeSet<_>>(),
        wrong: Vec::new(),
        end: ends,
    };
    (*reading != expected).then(|| {
        let missing: Vec<_> = expected.right.difference(&reading.right).collect();
        format!(
            "end {} refused {:?} skipped {:?} wrong {:?} missing {:?}, expected {outcome:?}",
            reading.end, reading.refused, reading.skipped, reading.wrong, missing
        )
    })
}

/// Times that lead to other offsets than those of the records that have them.
fn wrong_times(client: &mut WireClient, partition: i32, outcome: &Outcome) -> Option<String> {
    if !matches!(outcome, All) {
        return None;
    }
    let first = first_ms();
    for offset in [0, 7, 12, 19, 20, 33] {
        let answer = client.list_offset(LIST_OFFSETS, TOPIC, partition, timestamp(first, offset));
        if answer.offset != offset {
            return Some(format!("the time of offset {offset} leads to {answer:?}"));
        }
    }
    None
}
