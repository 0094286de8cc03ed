use super::*;
use crate::wire::records::batch::HEADER_BYTES;
use crate::wire::records::{BatchBuilder, Codec};
use proptest::prelude::*;

/// Walks `records` in pieces that end at `cuts`.
fn walk(count: u32, records: &[u8], cuts: &[usize]) -> Result<Vec<RecordFacts>, BatchError> {
    let mut walk = RecordWalk::new(count);
    let mut seen = Vec::new();
    let mut at = 0;
    for &cut in cuts.iter().chain([&records.len()]) {
        walk.feed(&records[at..cut], |facts| {
            seen.push(facts);
            Ok(())
        })?;
        at = cut;
    }
    walk.finish()?;
    Ok(seen)
}

fn records() -> (u32, Vec<u8>) {
    let mut builder = BatchBuilder::new(Codec::None);
    let long = vec![b'v'; 200];
    builder.append(1_000, Some(b"key"), Some(&long), &[]);
    builder.append(-5, None, None, &[("trace", Some(b"1")), ("trace", None)]);
    builder.append(i64::MAX, Some(b""), Some(b""), &[("", Some(b""))]);
    builder.append(999, Some(&long), None, &[("h", Some(&long))]);
    let count = builder.record_count() as u32;
    (count, builder.build()[HEADER_BYTES..].to_vec())
}

#[test]
fn facts_are_those_of_the_records() {
    let (count, records) = records();
    let seen = walk(count, &records, &[]).unwrap();
    let deltas: Vec<i64> = seen.iter().map(|facts| facts.timestamp_delta).collect();
    assert_eq!(deltas, [0, -1_005, i64::MAX - 1_000, -1]);
    let keys: Vec<bool> = seen.iter().map(|facts| facts.has_key).collect();
    assert_eq!(keys, [true, false, true, true]);
    assert!(
        seen.iter()
            .all(|facts| facts.offset_delta as u32 == facts.index)
    );
}

#[test]
fn where_a_piece_ends_makes_no_difference() {
    let (count, records) = records();
    let whole = walk(count, &records, &[]).unwrap();
    for cut in 0..=records.len() {
        assert_eq!(
            walk(count, &records, &[cut]).unwrap(),
            whole,
            "cut at {cut}"
        );
    }
    let everywhere: Vec<usize> = (0..records.len()).collect();
    assert_eq!(walk(count, &records, &everywhere).unwrap(), whole);
}

#[test]
fn a_batch_that_ends_early_misses_records() {
    let (count, records) = records();
    for end in 0..records.len() {
        let error = walk(count, &records[..end], &[]).unwrap_err();
        let BatchError::Invalid {
            reason: Invalid::MissingRecords { found, .. },
        } = error
        else {
            panic!("end {end}: {error}");
        };
        assert!(found < count);
    }
}

#[test]
fn a_byte_behind_the_last_record_is_found() {
    let (count, mut records) = records();
    records.push(0);
    assert_eq!(
        walk(count, &records, &[]),
        Err(Invalid::TrailingBytes.into())
    );
    assert_eq!(
        walk(count, &records, &[records.len() - 1]),
        Err(Invalid::TrailingBytes.into())
    );
}

#[test]
fn each_broken_field_is_named() {
    // length, attributes, timestamp delta, offset delta, key, value, headers; lengths are zig-zag.
    let cases: [(&[u8], Malformed); 9] = [
        (&[1, 0], Malformed::Size(-1)),
        (&[12, 0, 0, 0, 2, 1, 0], Malformed::Ends),
        (&[12, 0, 0, 0, 1, 126, 0], Malformed::Ends),
        (&[12, 0, 0, 0, 1, 1, 1], Malformed::HeaderCount(-1)),
        (&[12, 0, 0, 0, 1, 1, 8], Malformed::HeaderCount(4)),
        (&[14, 0, 0, 0, 1, 1, 0, 0], Malformed::Left(1)),
        (&[16, 0, 0, 0, 1, 1, 2, 3, 1], Malformed::HeaderKey(-2)),
        (&[0x80, 0x80, 0x80, 0x80, 0x80, 0], Malformed::Varint),
        (
            &[18, 0, 0, 0x80, 0x80, 0x80, 0x80, 0x80, 0, 0],
            Malformed::Varint,
        ),
    ];
    for (bytes, malformed) in cases {
        let expected = Err(Invalid::Record {
            index: 0,
            malformed,
        }
        .into());
        assert_eq!(walk(1, bytes, &[]), expected, "{bytes:?}");
        // Read byte by byte, a field that goes on behind its record shows at the next byte.
        let bytes = [bytes, &[0; 8]].concat();
        let everywhere: Vec<usize> = (0..bytes.len()).collect();
        assert_eq!(
            walk(1, &bytes, &everywhere),
            expected,
            "in pieces: {bytes:?}"
        );
    }
}

proptest! {
    /// Damaged records, too, are judged the same whichever way they are read; only the fault found first may differ.
    #[test]
    fn both_ways_of_reading_agree_on_any_bytes(
        damage in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 0..6),
        cuts in prop::collection::vec(any::<prop::sample::Index>(), 1..8),
    ) {
        let (count, mut records) = records();
        for (at, byte) in damage {
            let at = at.index(records.len());
            records[at] = byte;
        }
        let mut cuts: Vec<usize> = cuts.iter().map(|cut| cut.index(records.len())).collect();
        cuts.sort_unstable();
        let whole = walk(count, &records, &[]);
        let pieces = walk(count, &records, &cuts);
        prop_assert_eq!(whole.as_ref().ok(), pieces.as_ref().ok(), "{:?} {:?}", whole, pieces);
    }
}
