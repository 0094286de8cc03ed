use super::*;
use crate::wire::records::builder::BatchBuilder;
use crate::wire::records::message_set::{messages, up_convert};
use proptest::prelude::*;

type Field = Option<Vec<u8>>;

/// Codecs that old clients know.
const CODECS: [Codec; 4] = [Codec::None, Codec::Gzip, Codec::Snappy, Codec::Lz4];

fn batch(codec: Codec, records: &[(i64, Field, Field)]) -> Bytes {
    let mut builder = BatchBuilder::new(codec);
    for (timestamp, key, value) in records {
        builder.append(*timestamp, key.as_deref(), value.as_deref(), &[]);
    }
    builder.build()
}

fn numbered(count: usize, size: usize) -> Vec<(i64, Field, Field)> {
    (0..count)
        .map(|number| {
            let mut value = format!("{number} ").into_bytes();
            value.extend((0..size).map(|at| (at * 31 + number * 7) as u8));
            (1_000 + number as i64, None, Some(value))
        })
        .collect()
}

fn converted(batches: Bytes, magic: i8, from: i64, max: usize) -> Result<Bytes, BatchError> {
    down_convert(batches, magic, from, max, &mut Scratch::default()).map(Bytes::from)
}

/// The set as (offset, timestamp, key, value).
fn read_back(set: &Bytes) -> Vec<(i64, i64, Field, Field)> {
    messages(set)
        .map(|message| message.expect("a whole message"))
        .map(|one| {
            let field = |field: Option<Bytes>| field.map(|bytes| bytes.to_vec());
            (one.offset, one.timestamp, field(one.key), field(one.value))
        })
        .collect()
}

#[test]
fn a_set_ends_where_the_next_message_has_no_room() {
    for codec in CODECS {
        // Each record is longer than a piece of its codec.
        let records = numbered(6, 150_000);
        let all = converted(batch(codec, &records), 1, 0, usize::MAX).unwrap();
        assert_eq!(read_back(&all).len(), 6, "{codec:?}");
        let message = all.len() / 6;
        let three = converted(batch(codec, &records), 1, 0, message * 4 - 1).unwrap();
        assert_eq!(three, all.slice(..three.len()), "{codec:?}");
        assert_eq!(read_back(&three).len(), 3, "{codec:?}");
        let last = converted(batch(codec, &records), 1, 5, 10).unwrap();
        assert_eq!(read_back(&last)[0].0, 5, "one message, however large");
    }
}

#[test]
fn batches_follow_each_other_until_the_set_is_full() {
    let one = batch(Codec::Gzip, &numbered(2, 10));
    let both = Bytes::from([one.clone(), one].concat());
    assert_eq!(
        read_back(&converted(both, 0, 0, usize::MAX).unwrap()).len(),
        4
    );
}

#[test]
fn zstd_and_damage_are_errors() {
    let zstd = converted(batch(Codec::Zstd, &numbered(1, 1)), 1, 0, 100);
    assert_eq!(zstd, Err(BatchError::UnsupportedCompression { id: 4 }));
    let mut damaged = batch(Codec::Lz4, &numbered(3, 1000)).to_vec();
    *damaged.last_mut().unwrap() ^= 1;
    assert!(matches!(
        converted(damaged.into(), 1, 0, 100),
        Err(BatchError::Corrupt { .. })
    ));
}

fn any_records() -> impl Strategy<Value = Vec<(i64, Field, Field)>> {
    let field = || proptest::option::of(proptest::collection::vec(any::<u8>(), 0..300));
    proptest::collection::vec((0..1_i64 << 40, field(), field()), 1..40)
}

proptest! {
    #[test]
    fn keys_values_and_times_come_back_as_they_went_in(
        records in any_records(), codec in 0..CODECS.len(), from in 0..40_i64
    ) {
        let set = converted(batch(CODECS[codec], &records), 1, from, usize::MAX).unwrap();
        let expected: Vec<_> = records.iter().cloned().zip(0_i64..).skip(from as usize)
            .map(|((timestamp, key, value), offset)| (offset, timestamp, key, value)).collect();
        prop_assert_eq!(read_back(&set), expected);
    }

    #[test]
    fn what_an_old_producer_sends_an_old_consumer_gets(records in any_records(), magic in 0..=1_i8) {
        let sent = converted(batch(Codec::None, &records), magic, 0, usize::MAX).unwrap();
        let stored = up_convert(&sent, 1 << 20, &mut Scratch::default()).unwrap();
        prop_assert_eq!(converted(stored, magic, 0, usize::MAX).unwrap(), sent);
    }

    #[test]
    fn arbitrary_bytes_are_answered_and_nothing_panics(bytes in proptest::collection::vec(any::<u8>(), 0..400)) {
        let set = converted(bytes.into(), 1, 0, 1 << 16);
        prop_assert!(set.is_err() || set.is_ok_and(|set| set.is_empty()));
    }
}
