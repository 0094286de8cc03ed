use super::*;
use crate::types::{LeaderEpoch, Offset, TimestampMs};
use crate::wire::records::stamp::stamp_log_append_time;
use crate::wire::records::{BatchBuilder, batches};
use bytes::Bytes;

const NO_HORIZON: Horizon = Horizon {
    new_ms: 9_000,
    always: false,
};

/// Offset, timestamp, key, value.
type Told = (i64, i64, Option<Vec<u8>>, Option<Vec<u8>>);

/// Five records at offsets 100 to 104, the one at 103 a tombstone.
fn five(codec: Codec) -> Batch {
    let mut builder = BatchBuilder::new(codec)
        .producer(7, 2, 40)
        .placed(Offset(100), LeaderEpoch(5));
    for n in 0..5_i64 {
        let value = [n as u8; 50];
        let value = (n != 3).then_some(&value[..]);
        builder.append(
            1_000 + 10 * n,
            Some(&[b'k', n as u8]),
            value,
            &[("h", None)],
        );
    }
    batch(builder.build())
}

fn batch(bytes: Bytes) -> Batch {
    batches(bytes).next().unwrap().unwrap()
}

fn told(batch: &Batch) -> Vec<Told> {
    let records = batch.records(1 << 20, &mut Scratch::default()).unwrap();
    let told = |record: Record<'_>| {
        assert_eq!(record.headers.len(), 1);
        (
            record.offset.0,
            record.timestamp,
            record.key.map(<[u8]>::to_vec),
            record.value.map(<[u8]>::to_vec),
        )
    };
    records.iter().map(|record| told(record.unwrap())).collect()
}

fn kept(batch_: &Batch, horizon: Horizon, offsets: &[i64]) -> Retained {
    let keep = |record: &Record<'_>| offsets.contains(&record.offset.0);
    retain(batch_, horizon, 1 << 20, &mut Scratch::default(), keep).unwrap()
}

#[track_caller]
fn rewritten(retained: Retained) -> Batch {
    match retained {
        Retained::Rewritten { batch: bytes, .. } => batch(bytes.into()),
        other => panic!("not rewritten: {other:?}"),
    }
}

#[test]
fn records_that_stay_keep_offset_time_key_value_and_headers_in_every_codec() {
    for codec in Codec::ALL {
        let original = five(codec);
        let left = rewritten(kept(&original, NO_HORIZON, &[101, 104]));
        let all = told(&original);
        assert_eq!(told(&left), [all[1].clone(), all[4].clone()], "{codec:?}");
        let (old, new) = (original.header(), left.header());
        assert_eq!(new.attributes(), old.attributes());
        assert_eq!(new.base_offset(), old.base_offset());
        assert_eq!(new.last_offset(), old.last_offset());
        assert_eq!(new.last_sequence(), old.last_sequence());
        assert_eq!(new.leader_epoch(), old.leader_epoch());
        assert_eq!((new.record_count(), new.max_timestamp()), (2, 1_040));
    }
}

#[test]
fn the_newest_time_is_that_of_the_records_that_stay() {
    let left = rewritten(kept(&five(Codec::None), NO_HORIZON, &[100]));
    assert_eq!(left.header().max_timestamp(), 1_000);
}

#[test]
fn a_tombstone_that_stays_gives_its_batch_a_horizon_once() {
    for codec in Codec::ALL {
        let original = five(codec);
        let first = rewritten(kept(&original, NO_HORIZON, &[100, 101, 102, 103, 104]));
        assert!(first.header().attributes().has_delete_horizon());
        assert_eq!(first.header().base_timestamp(), 9_000);
        assert_eq!(told(&first), told(&original), "{codec:?}");
        let later = Horizon {
            new_ms: 20_000,
            always: true,
        };
        let everything = [100, 101, 102, 103, 104];
        assert_eq!(kept(&first, later, &everything), Retained::Whole);
        let second = rewritten(kept(&first, later, &[103, 104]));
        assert_eq!(second.header().base_timestamp(), 9_000, "it stays");
        assert_eq!(told(&second), told(&original)[3..]);
    }
}

#[test]
fn without_a_tombstone_a_batch_that_keeps_everything_is_not_touched() {
    let mut builder = BatchBuilder::new(Codec::Zstd);
    builder.append(1, Some(b"k"), Some(b"v"), &[("h", None)]);
    let original = batch(builder.build());
    assert_eq!(kept(&original, NO_HORIZON, &[0]), Retained::Whole);
    let marker = Horizon {
        always: true,
        ..NO_HORIZON
    };
    let with_horizon = rewritten(kept(&original, marker, &[0]));
    assert!(with_horizon.header().attributes().has_delete_horizon());
}

#[test]
fn append_time_stays_the_time_of_every_record() {
    let mut bytes = five(Codec::Gzip).bytes().to_vec();
    stamp_log_append_time(&mut bytes, TimestampMs(5_555));
    let left = rewritten(kept(&batch(bytes.into()), NO_HORIZON, &[100, 103]));
    assert_eq!(left.header().max_timestamp(), 5_555);
    assert!(told(&left).iter().all(|record| record.1 == 5_555));
}

#[test]
fn a_batch_of_which_nothing_stays_can_keep_its_header() {
    let original = five(Codec::Lz4);
    assert_eq!(kept(&original, NO_HORIZON, &[]), Retained::Nothing);
    let empty = batch(emptied(original.header()).into());
    assert_eq!(told(&empty), []);
    let (old, new) = (original.header(), empty.header());
    assert_eq!(
        (new.base_offset(), new.last_offset()),
        (Offset(100), Offset(104))
    );
    assert_eq!(new.last_sequence(), old.last_sequence());
    assert_eq!((new.producer_id(), new.producer_epoch()), (7, 2));
    assert_eq!((new.base_timestamp(), new.max_timestamp()), (-1, 1_040));
    assert_eq!(new.attributes().codec(), Ok(Codec::None));
    assert_eq!(
        retain(&empty, NO_HORIZON, 1 << 20, &mut Scratch::default(), |_| {
            true
        }),
        Ok(Retained::Nothing)
    );
}

#[test]
fn a_damaged_batch_is_not_rewritten() {
    let mut bytes = five(Codec::None).bytes().to_vec();
    let last = bytes.len() - 1;
    bytes[last] ^= 1;
    let damaged = batch(bytes.into());
    assert!(
        retain(
            &damaged,
            NO_HORIZON,
            1 << 20,
            &mut Scratch::default(),
            |_| true
        )
        .is_err()
    );
}
