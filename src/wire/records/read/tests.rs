use super::*;
use crate::types::LeaderEpoch;
use crate::wire::records::BatchBuilder;
use crate::wire::records::stamp::stamp_offset;
use proptest::prelude::*;

fn open(batch: &Bytes) -> Result<BatchRecords, BatchError> {
    let batch = batches(batch.clone()).next().unwrap()?;
    batch.records(1 << 20, &mut Scratch::default())
}

fn batch_at(base_offset: i64) -> Vec<u8> {
    let mut builder = BatchBuilder::new(Codec::None);
    builder.append(5, Some(b"k"), Some(b"v"), &[]);
    builder.append(6, None, None, &[]);
    let mut batch = builder.build().to_vec();
    stamp_offset(&mut batch, Offset(base_offset), LeaderEpoch(0));
    batch
}

#[test]
fn batches_that_follow_one_another_are_found_and_a_cut_off_last_one_is_left_out() {
    let whole = [batch_at(0), batch_at(2), batch_at(4)].concat();
    let last_begins = whole.len() - batch_at(4).len();
    for end in last_begins..whole.len() {
        let offsets: Vec<i64> = batches(whole[..end].to_vec().into())
            .map(|batch| batch.unwrap().header().base_offset().0)
            .collect();
        assert_eq!(offsets, [0, 2], "cut at {end}");
    }
}

#[test]
fn damage_between_batches_is_an_error_and_the_end() {
    let mut whole = [batch_at(0), batch_at(2)].concat();
    let second = batch_at(0).len();
    whole[second + 8..second + 12].copy_from_slice(&3i32.to_be_bytes());
    let mut found = batches(whole.into());
    assert!(found.next().unwrap().is_ok());
    assert_eq!(
        found.next(),
        Some(Err(Corruption::Length { declared: 3 }.into()))
    );
    assert_eq!(found.next(), None);
}

#[test]
fn uncompressed_records_are_not_copied() {
    let batch = Bytes::from(batch_at(0));
    let records = open(&batch).unwrap();
    let key = records.iter().next().unwrap().unwrap().key.unwrap();
    assert!(batch.as_ptr_range().contains(&key.as_ptr()));
    assert_eq!(records.keep(key).as_ptr(), key.as_ptr());
}

#[test]
fn a_damaged_batch_is_not_opened() {
    let mut damaged = batch_at(0);
    *damaged.last_mut().unwrap() ^= 1;
    let error = open(&damaged.into()).err().unwrap();
    assert!(matches!(error, BatchError::Corrupt { .. }));
}

/// What a record is made of.
#[derive(Clone, PartialEq, Debug)]
struct Content {
    timestamp: i64,
    key: Option<Vec<u8>>,
    value: Option<Vec<u8>>,
    headers: Vec<(String, Option<Vec<u8>>)>,
}

fn content() -> impl Strategy<Value = Content> {
    let field = || prop::option::of(prop::collection::vec(any::<u8>(), 0..300));
    // Few different keys, so that some come twice.
    let headers = prop::collection::vec(("[a-c]{0,2}", field()), 0..4);
    (any::<i64>(), field(), field(), headers).prop_map(|(timestamp, key, value, headers)| Content {
        timestamp,
        key,
        value,
        headers,
    })
}

proptest! {
    #[test]
    fn what_is_appended_is_what_is_read(
        contents in prop::collection::vec(content(), 1..20),
        codec in prop::sample::select(&Codec::ALL[..]),
    ) {
        let mut builder = BatchBuilder::new(codec);
        for content in &contents {
            let headers: Vec<_> = content
                .headers
                .iter()
                .map(|(key, value)| (key.as_str(), value.as_deref()))
                .collect();
            builder.append(content.timestamp, content.key.as_deref(), content.value.as_deref(), &headers);
        }
        let opened = open(&builder.build()).unwrap();
        for (index, (record, content)) in opened.iter().zip(&contents).enumerate() {
            let record = record.unwrap();
            prop_assert_eq!(record.offset, Offset(index as i64));
            let read = Content {
                timestamp: record.timestamp,
                key: record.key.map(<[u8]>::to_vec),
                value: record.value.map(<[u8]>::to_vec),
                headers: record
                    .headers
                    .iter()
                    .map(|(key, value)| (String::from_utf8(key.to_vec()).unwrap(), value.map(<[u8]>::to_vec)))
                    .collect(),
            };
            prop_assert_eq!(&read, content);
        }
        prop_assert_eq!(opened.iter().count(), contents.len());
    }
}
