use super::*;
use crate::wire::records::read::batches;

const NO_LIMIT: u64 = u64::MAX;

fn message(magic: i8, offset: i64, attributes: u8, key: Option<&[u8]>, value: &[u8]) -> Vec<u8> {
    let mut covered = vec![magic as u8, attributes];
    if magic == 1 {
        covered.extend_from_slice(&(7_000 + offset).to_be_bytes());
    }
    match key {
        Some(key) => {
            covered.extend_from_slice(&(key.len() as i32).to_be_bytes());
            covered.extend_from_slice(key);
        }
        None => covered.extend_from_slice(&(-1i32).to_be_bytes()),
    }
    covered.extend_from_slice(&(value.len() as i32).to_be_bytes());
    covered.extend_from_slice(value);
    let mut message = offset.to_be_bytes().to_vec();
    message.extend_from_slice(&(covered.len() as i32 + 4).to_be_bytes());
    message.extend_from_slice(&crc32(&covered).to_be_bytes());
    message.extend_from_slice(&covered);
    message
}

fn set(magic: i8) -> Vec<u8> {
    [
        message(magic, 0, 0, Some(b"a"), b"first"),
        message(magic, 1, 0, None, b"second"),
        message(magic, 2, 0, Some(b""), b""),
    ]
    .concat()
}

fn wrapper(magic: i8, offset: i64, codec: Codec, attributes: u8) -> Vec<u8> {
    let value = codec.compress_behind(0, &set(magic));
    message(magic, offset, codec.id() | attributes, None, &value)
}

fn unwrap(bytes: Vec<u8>) -> Result<Vec<Message>, BatchError> {
    let mut inner = Vec::new();
    let outer = Message::read(&bytes.into())?;
    outer.unwrap_each(NO_LIMIT, &mut Scratch::default(), |message| {
        inner.push(message);
        Ok(())
    })?;
    Ok(inner)
}

fn offsets(messages: &[Message]) -> Vec<i64> {
    messages.iter().map(|message| message.offset).collect()
}

#[test]
fn a_message_of_the_published_layout_is_read() {
    // From the protocol guide, with zlib's checksum.
    let bytes = Bytes::from_static(&[
        0, 0, 0, 0, 0, 0, 0, 5, 0, 0, 0, 23, 0xae, 0x90, 0x6f, 0x34, 1, 0, 0, 0, 0, 0, 0, 0, 0, 42,
        0, 0, 0, 1, b'k', 0xff, 0xff, 0xff, 0xff,
    ]);
    let read = Message::read(&bytes).unwrap();
    assert_eq!((read.offset, read.magic, read.timestamp), (5, 1, 42));
    assert_eq!((read.key.as_deref(), read.value), (Some(&b"k"[..]), None));
}

#[test]
fn every_flipped_bit_behind_the_size_is_found() {
    let whole = message(1, 0, 0, Some(b"key"), b"value");
    for bit in 12 * 8..whole.len() * 8 {
        let mut flipped = whole.clone();
        flipped[bit / 8] ^= 1 << (bit % 8);
        let error = Message::read(&flipped.into()).unwrap_err();
        assert!(matches!(error, BatchError::Corrupt { .. }), "bit {bit}");
    }
}

#[test]
fn a_message_cut_anywhere_is_an_error() {
    let whole = message(1, 0, 0, Some(b"key"), b"value");
    for cut in 0..whole.len() {
        assert!(Message::read(&whole[..cut].to_vec().into()).is_err());
    }
}

#[test]
fn a_wrapper_gives_its_messages_in_every_codec_kafka_had_then() {
    for magic in [0, 1] {
        for codec in [Codec::Gzip, Codec::Snappy, Codec::Lz4] {
            let inner = unwrap(wrapper(magic, 2, codec, 0)).unwrap();
            let values: Vec<_> = inner.iter().map(|m| m.value.clone().unwrap()).collect();
            assert_eq!(values, [&b"first"[..], b"second", b""], "{codec:?}");
            assert_eq!(inner[1].key, None);
            assert_eq!(inner[2].key.as_deref(), Some(&b""[..]));
        }
    }
}

#[test]
fn inner_offsets_are_relative_to_the_wrapper_in_v1_and_absolute_in_v0() {
    let v1 = unwrap(wrapper(1, 102, Codec::Gzip, 0)).unwrap();
    assert_eq!(offsets(&v1), [100, 101, 102]);
    let v0 = unwrap(wrapper(0, 102, Codec::Gzip, 0)).unwrap();
    assert_eq!(offsets(&v0), [0, 1, 2]);
    let left_at_zero = unwrap(wrapper(1, 0, Codec::Gzip, 0)).unwrap();
    assert_eq!(offsets(&left_at_zero), [0, 1, 2]);
}

#[test]
fn with_append_time_the_wrappers_time_is_that_of_all() {
    let inner = unwrap(wrapper(1, 2, Codec::Gzip, 0x08)).unwrap();
    assert!(inner.iter().all(|message| message.timestamp == 7_002));
    let own = unwrap(wrapper(1, 2, Codec::Gzip, 0)).unwrap();
    assert_eq!(own[0].timestamp, 7_000);
}

#[test]
fn a_wrapper_in_a_wrapper_or_of_another_format_is_refused() {
    for inside in [wrapper(1, 2, Codec::Gzip, 0), set(0)] {
        let value = Codec::Gzip.compress_behind(0, &inside);
        let outer = message(1, 0, Codec::Gzip.id(), None, &value);
        assert_eq!(
            unwrap(outer).unwrap_err(),
            Invalid::Inner { index: 0 }.into()
        );
    }
}

#[test]
fn an_empty_wrapper_is_refused() {
    let value = Codec::Gzip.compress_behind(0, b"");
    let outer = message(1, 0, Codec::Gzip.id(), None, &value);
    assert_eq!(unwrap(outer).unwrap_err(), Invalid::NoBatch.into());
}

#[test]
fn a_wrapper_that_inflates_too_far_is_given_up() {
    let outer = Message::read(&wrapper(1, 2, Codec::Gzip, 0).into()).unwrap();
    let result = outer.unwrap_each(50, &mut Scratch::default(), |_| panic!("nothing is shown"));
    assert_eq!(result.unwrap_err(), Invalid::Inflates { max: 50 }.into());
}

#[test]
fn what_old_producers_send_becomes_one_batch_of_the_same_records() {
    let sets = [
        (set(0), Codec::None, -1),
        (set(1), Codec::None, 7_000),
        (wrapper(0, 2, Codec::Gzip, 0), Codec::Gzip, -1),
        (wrapper(1, 2, Codec::Lz4, 0), Codec::Lz4, 7_000),
    ];
    for (set, codec, timestamp) in sets {
        let scratch = &mut Scratch::default();
        let batch = up_convert(&set.into(), NO_LIMIT, scratch).unwrap();
        let batch = batches(batch).next().unwrap().unwrap();
        let opened = batch.records(NO_LIMIT, scratch).unwrap();
        assert_eq!(opened.header().attributes().codec().unwrap(), codec);
        let records: Vec<_> = opened.iter().map(Result::unwrap).collect();
        assert_eq!(records.len(), 3);
        assert_eq!(records[0].timestamp, timestamp);
        assert_eq!(records[0].key, Some(&b"a"[..]));
        assert_eq!(records[1].key, None);
        assert_eq!(records[1].value, Some(&b"second"[..]));
    }
}

#[test]
fn nothing_may_follow_a_wrapper() {
    let both = [wrapper(1, 2, Codec::Gzip, 0), set(1)].concat();
    assert_eq!(
        up_convert(&both.into(), NO_LIMIT, &mut Scratch::default()).unwrap_err(),
        Invalid::SeveralBatches.into()
    );
}
