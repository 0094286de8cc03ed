use super::*;
use crate::wire::records::BatchBuilder;
use crate::wire::records::attributes::Attributes;
use crate::wire::records::codec::Codec;
use crate::wire::records::error::Malformed;

const NOW: TimestampMs = TimestampMs(1_700_000_000_000);
const HOUR_MS: i64 = 3_600_000;

fn rules() -> ValidationRules {
    ValidationRules {
        max_message_bytes: 1 << 20,
        timestamp_type: TimestampType::CreateTime,
        timestamp_before_max_ms: i64::MAX,
        timestamp_after_max_ms: HOUR_MS,
        compacted: false,
        now: NOW,
        max_decompressed_bytes: 64 << 20,
    }
}

fn builder(codec: Codec) -> BatchBuilder {
    let mut builder = BatchBuilder::new(codec).producer(9, 1, 40);
    builder.append(NOW.0 - 5, Some(b"a"), Some(b"first"), &[]);
    builder.append(NOW.0 + 7, Some(b"b"), Some(b"second"), &[("h", None)]);
    builder.append(NOW.0 - 9, Some(b"c"), None, &[]);
    builder
}

fn batch(codec: Codec) -> Vec<u8> {
    builder(codec).build().to_vec()
}

/// `batch` with other bytes at `at`, and the checksum that makes them the sender's own.
fn altered(mut batch: Vec<u8>, at: usize, bytes: &[u8]) -> Vec<u8> {
    batch[at..at + bytes.len()].copy_from_slice(bytes);
    BatchHeader::reseal(&mut batch);
    batch
}

fn validate_with(
    rules: &ValidationRules,
    records: impl Into<Bytes>,
) -> Result<ValidatedBatch, BatchError> {
    BatchValidator::start(records.into(), rules)?.run(&mut Scratch::default())
}

fn validate(records: impl Into<Bytes>) -> Result<ValidatedBatch, BatchError> {
    validate_with(&rules(), records)
}

fn rejected(result: Result<ValidatedBatch, BatchError>) -> (Vec<u32>, u32, bool) {
    match result {
        Err(BatchError::Rejected {
            records,
            total,
            any_timestamp,
        }) => (
            records.iter().map(|record| record.index).collect(),
            total,
            any_timestamp,
        ),
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_batch_that_needs_no_change_is_kept_byte_for_byte() {
    for codec in Codec::ALL {
        let sent = Bytes::from(batch(codec));
        let validated = validate(sent.clone()).unwrap();
        assert_eq!(validated.bytes.as_ptr(), sent.as_ptr(), "{codec:?}");
        assert_eq!(validated.bytes, sent);
        assert_eq!(validated.codec, codec);
        assert_eq!(
            (validated.record_count, validated.last_offset_delta),
            (3, 2)
        );
        assert_eq!(validated.max_timestamp, NOW.0 + 7);
        assert_eq!(validated.offset_of_max_timestamp_delta, 1);
        assert_eq!(
            (
                validated.producer_id,
                validated.producer_epoch,
                validated.base_sequence
            ),
            (9, 1, 40)
        );
    }
}

#[test]
fn a_built_batch_is_described_as_its_validation_would() {
    for codec in Codec::ALL {
        let built = builder(codec).build_validated();
        let validated = validate(built.bytes.clone()).unwrap();
        assert_eq!(format!("{built:?}"), format!("{validated:?}"));
    }
}

#[test]
fn small_steps_come_to_the_same_end_as_one() {
    for codec in Codec::ALL {
        let sent = Bytes::from(batch(codec));
        let mut scratch = Scratch::default();
        let mut validator = BatchValidator::start(sent.clone(), &rules()).unwrap();
        let mut steps = 1;
        let validated = loop {
            match validator.step(&mut scratch, 1).unwrap() {
                Progress::Done(validated) => break validated,
                Progress::More => steps += 1,
            }
        };
        assert!(steps > sent.len() - CRC_COVERS_FROM, "{codec:?}: {steps}");
        assert_eq!(
            format!("{validated:?}"),
            format!("{:?}", validate(sent).unwrap())
        );
    }
}

#[test]
fn nothing_or_a_cut_off_batch_is_no_batch() {
    assert_eq!(validate(Bytes::new()).unwrap_err(), Invalid::NoBatch.into());
    let sent = batch(Codec::None);
    for cut in 0..sent.len() {
        let error = validate(sent[..cut].to_vec()).unwrap_err();
        assert_eq!(error, Invalid::NoBatch.into(), "cut at {cut}");
    }
}

#[test]
fn bytes_behind_the_batch_that_are_no_batch_are_dropped() {
    let sent = batch(Codec::None);
    for tail in [&[0u8][..], &[0; 11], &sent[..30]] {
        let both = [&sent[..], tail].concat();
        assert_eq!(validate(both).unwrap().bytes, sent);
    }
}

#[test]
fn a_second_batch_is_refused() {
    let both = [batch(Codec::None), batch(Codec::None)].concat();
    assert_eq!(validate(both).unwrap_err(), Invalid::SeveralBatches.into());
}

#[test]
fn every_flipped_bit_is_refused_or_lies_outside_the_checksum() {
    for codec in Codec::ALL {
        let sent = batch(codec);
        for bit in 0..sent.len() * 8 {
            let mut flipped = sent.clone();
            flipped[bit / 8] ^= 1 << (bit % 8);
            match validate(flipped) {
                Ok(_) => assert!((96..128).contains(&bit), "{codec:?} bit {bit}"),
                Err(BatchError::Corrupt { .. }) => {}
                Err(_) => assert!(bit < 136, "{codec:?} bit {bit}"),
            }
        }
    }
}

#[test]
fn lengths_and_magics_no_format_has_are_corrupt() {
    for (at, bytes) in [(8, &13i32.to_be_bytes()[..]), (16, &[3]), (16, &[0xff])] {
        let error = validate(altered(batch(Codec::None), at, bytes)).unwrap_err();
        assert!(matches!(error, BatchError::Corrupt { .. }), "{error}");
    }
}

#[test]
fn a_message_set_is_named_by_its_magic() {
    let error = validate(altered(batch(Codec::None), MAGIC_AT, &[1])).unwrap_err();
    assert_eq!(error, BatchError::UnsupportedMagic { magic: 1 });
}

#[test]
fn a_base_offset_other_than_zero_is_refused() {
    let error = validate(altered(batch(Codec::None), 7, &[1])).unwrap_err();
    assert_eq!(error, Invalid::BaseOffset { base_offset: 1 }.into());
}

#[test]
fn the_size_limit_binds_the_batch_as_sent() {
    let mut builder = BatchBuilder::new(Codec::Zstd);
    builder.append(NOW.0, None, Some(&[0; 100_000]), &[]);
    let sent = builder.build();
    let mut rules = rules();
    rules.max_message_bytes = sent.len() as u32;
    assert!(validate_with(&rules, sent.clone()).is_ok());
    rules.max_message_bytes -= 1;
    assert_eq!(
        validate_with(&rules, sent.clone()).unwrap_err(),
        BatchError::TooLarge {
            size: sent.len(),
            max: sent.len() - 1
        }
    );
}

#[test]
fn count_and_last_offset_must_agree() {
    for (last_offset_delta, count) in [
        (1, 3),
        (2, 2),
        (-1, 0),
        (2, 0),
        (2, -3),
        (i32::MAX, i32::MIN),
    ] {
        let sent = altered(batch(Codec::None), 23, &i32::to_be_bytes(last_offset_delta));
        let sent = altered(sent, 57, &i32::to_be_bytes(count));
        assert_eq!(
            validate(sent).unwrap_err(),
            Invalid::Count {
                last_offset_delta,
                count
            }
            .into()
        );
    }
}

#[test]
fn a_count_the_records_do_not_bear_out_is_refused() {
    for (count, expected) in [
        (2, Invalid::TrailingBytes),
        (4, Invalid::MissingRecords { found: 3, count: 4 }),
    ] {
        for codec in Codec::ALL {
            let sent = altered(batch(codec), 23, &i32::to_be_bytes(count - 1));
            let sent = altered(sent, 57, &i32::to_be_bytes(count));
            assert_eq!(validate(sent).unwrap_err(), expected.clone().into());
        }
    }
}

#[test]
fn a_huge_declared_count_takes_no_memory_and_is_refused() {
    let sent = altered(batch(Codec::Gzip), 23, &(i32::MAX - 1).to_be_bytes());
    let sent = altered(sent, 57, &i32::MAX.to_be_bytes());
    let count = i32::MAX as u32;
    assert_eq!(
        validate(sent).unwrap_err(),
        Invalid::MissingRecords { found: 3, count }.into()
    );
}

#[test]
fn control_batches_are_the_brokers_to_write() {
    let mut builder = BatchBuilder::new(Codec::None).control();
    builder.append(NOW.0, Some(&[0, 0, 0, 1]), Some(&[0; 6]), &[]);
    assert_eq!(
        validate(builder.build()).unwrap_err(),
        Invalid::Control.into()
    );
}

#[test]
fn a_producer_without_a_sequence_number_is_refused() {
    let mut builder = BatchBuilder::new(Codec::None).producer(5, 0, -1);
    builder.append(NOW.0, None, None, &[]);
    assert_eq!(
        validate(builder.build()).unwrap_err(),
        Invalid::Sequence {
            producer_id: 5,
            base_sequence: -1
        }
        .into()
    );
}

#[test]
fn codecs_without_a_meaning_are_named() {
    for id in 5..8 {
        let error = validate(altered(batch(Codec::None), 22, &[id])).unwrap_err();
        assert_eq!(error, BatchError::UnsupportedCompression { id });
    }
}

#[test]
fn records_that_do_not_inflate_are_refused() {
    for id in 1..5 {
        let error = validate(altered(batch(Codec::None), 22, &[id])).unwrap_err();
        assert!(
            matches!(
                error,
                BatchError::Invalid {
                    reason: Invalid::Decompress { .. }
                }
            ),
            "{error}"
        );
    }
}

#[test]
fn records_must_be_numbered_from_zero() {
    let sent = batch(Codec::None);
    // The first record: length, attributes, timestamp delta, offset delta.
    let error = validate(altered(sent, 64, &[2])).unwrap_err();
    assert_eq!(
        error,
        Invalid::OffsetDelta {
            index: 0,
            offset_delta: 1
        }
        .into()
    );
}

#[test]
fn a_record_whose_fields_do_not_fill_it_is_refused() {
    let sent = batch(Codec::None);
    // The first record's value is one byte shorter than its record.
    assert_eq!(sent[67], 10, "the zig-zag length of \"first\"");
    let error = validate(altered(sent, 67, &[8])).unwrap_err();
    let malformed = Malformed::HeaderCount(i32::from(b't') / 2);
    assert_eq!(
        error,
        Invalid::Record {
            index: 0,
            malformed
        }
        .into()
    );
}

#[test]
fn a_wrong_newest_timestamp_is_put_right_in_a_copy() {
    for codec in Codec::ALL {
        let sent = altered(batch(codec), 35, &(NOW.0 + HOUR_MS).to_be_bytes());
        let validated = validate(sent).unwrap();
        assert_eq!(validated.bytes, batch(codec), "{codec:?}");
        assert_eq!(validated.max_timestamp, NOW.0 + 7);
    }
}

#[test]
fn timestamps_out_of_range_are_listed_record_by_record() {
    let mut narrow = rules();
    narrow.timestamp_before_max_ms = 8;
    narrow.timestamp_after_max_ms = 6;
    for codec in Codec::ALL {
        let result = validate_with(&narrow, batch(codec));
        assert_eq!(rejected(result), (vec![1, 2], 2, true));
    }
    narrow.timestamp_before_max_ms = 9;
    narrow.timestamp_after_max_ms = 7;
    assert!(validate_with(&narrow, batch(Codec::None)).is_ok());
}

#[test]
fn a_record_without_a_timestamp_is_in_every_range() {
    let mut builder = BatchBuilder::new(Codec::None);
    builder.append(-1, None, None, &[]);
    let mut narrow = rules();
    narrow.timestamp_before_max_ms = 0;
    assert_eq!(
        validate_with(&narrow, builder.build())
            .unwrap()
            .max_timestamp,
        -1
    );
}

#[test]
fn a_compacted_topic_lists_the_records_without_a_key() {
    let mut builder = BatchBuilder::new(Codec::None);
    for key in [None, Some(&b""[..]), None] {
        builder.append(NOW.0, key, Some(b"value"), &[]);
    }
    let mut compacted = rules();
    compacted.compacted = true;
    let result = validate_with(&compacted, builder.build());
    assert_eq!(rejected(result), (vec![0, 2], 2, false));
}

#[test]
fn the_list_of_rejected_records_is_bounded_and_their_number_is_not() {
    let mut builder = BatchBuilder::new(Codec::None);
    for _ in 0..1_000 {
        builder.append(NOW.0, None, None, &[]);
    }
    let mut compacted = rules();
    compacted.compacted = true;
    let (listed, total, _) = rejected(validate_with(&compacted, builder.build()));
    assert_eq!((listed.len(), total), (MOST_REJECTED_LISTED, 1_000));
}

fn sent_with_append_time_bit(max_timestamp: i64) -> Vec<u8> {
    let bit = Attributes::default().with_timestamp_type(TimestampType::LogAppendTime);
    let sent = altered(batch(Codec::None), 21, &bit.0.to_be_bytes());
    altered(sent, 35, &max_timestamp.to_be_bytes())
}

#[test]
fn a_producers_append_time_bit_is_cleared_where_producers_set_the_time() {
    let validated = validate(sent_with_append_time_bit(NOW.0 + 3)).unwrap();
    let header = BatchHeader::read_checked(&validated.bytes).unwrap();
    assert_eq!(
        header.attributes().timestamp_type(),
        TimestampType::CreateTime
    );
    assert_eq!(header.max_timestamp(), NOW.0 + 3);
}

#[test]
fn a_producers_append_time_bit_without_a_time_is_refused() {
    let result = validate(sent_with_append_time_bit(-1));
    assert_eq!(rejected(result), (vec![0, 1, 2], 3, true));
}

#[test]
fn a_producers_append_time_bit_is_refused_where_the_broker_sets_the_time() {
    let mut append_time = rules();
    append_time.timestamp_type = TimestampType::LogAppendTime;
    let result = validate_with(&append_time, sent_with_append_time_bit(NOW.0));
    assert_eq!(rejected(result), (vec![0, 1, 2], 3, true));
}

#[test]
fn where_the_broker_sets_the_time_producers_may_send_any() {
    let mut append_time = rules();
    append_time.timestamp_type = TimestampType::LogAppendTime;
    append_time.timestamp_after_max_ms = 0;
    let sent = batch(Codec::None);
    let validated = validate_with(&append_time, sent.clone()).unwrap();
    assert_eq!(validated.bytes, sent, "the log stamps it");
    assert_eq!(validated.timestamp_type, TimestampType::LogAppendTime);
    assert_eq!(validated.max_timestamp, NOW.0);
}

#[test]
fn a_bomb_is_given_up_at_the_limit_in_steps() {
    for codec in [Codec::Gzip, Codec::Lz4, Codec::Zstd] {
        let mut builder = BatchBuilder::new(codec);
        builder.append(NOW.0, None, Some(&vec![0; 30_000_000]), &[]);
        let bomb = builder.build();
        let mut rules = rules();
        rules.max_decompressed_bytes = 20_000_000;
        let mut validator = BatchValidator::start(bomb, &rules).unwrap();
        let mut steps = 0;
        let error = loop {
            match validator.step(&mut Scratch::default(), 256 * 1024) {
                Ok(Progress::Done(_)) => panic!("a bomb passed"),
                Ok(Progress::More) => steps += 1,
                Err(error) => break error,
            }
        };
        assert!(steps > 50, "{codec:?} took {steps} steps");
        assert_eq!(error, Invalid::Inflates { max: 20_000_000 }.into());
    }
}
