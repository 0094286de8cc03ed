//! Segments and indexes as Kafka prints them.

use std::fs;

use super::*;
use crate::types::{LeaderEpoch, Offset};
use crate::wire::records::{BatchBuilder, Codec};

fn dumped(name: &str, bytes: &[u8], more: &[&str]) -> Result<String, String> {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join(name);
    fs::write(&path, bytes).unwrap();
    let mut args = vec!["--files".to_owned(), path.display().to_string()];
    args.extend(more.iter().map(|arg| (*arg).to_owned()));
    let mut out = Vec::new();
    run(&args, &mut out).map_err(|error| error.to_string())?;
    let text = String::from_utf8(out).unwrap();
    Ok(text.replace(&dir.path().display().to_string(), "DIR"))
}

fn batch() -> Bytes {
    let mut batch = BatchBuilder::new(Codec::None)
        .placed(Offset(5), LeaderEpoch(3))
        .producer(7, 0, 20);
    batch.append(1_000, Some(b"key"), Some(b"value"), &[("h", Some(b"x"))]);
    batch.append(1_001, None, None, &[]);
    batch.build()
}

#[test]
fn a_segment_is_printed_as_kafka_prints_it() {
    let bytes = batch();
    let text = dumped("00000000000000000005.log", &bytes, &["--print-data-log"]).unwrap();
    let lines: Vec<&str> = text.lines().collect();
    assert_eq!(
        lines[..2],
        [
            "Dumping DIR/00000000000000000005.log",
            "Log starting offset: 5"
        ]
    );
    let begin = "baseOffset: 5 lastOffset: 6 count: 2 baseSequence: 20 lastSequence: 21 producerId: 7 producerEpoch: 0 \
                 partitionLeaderEpoch: 3 isTransactional: false isControl: false deleteHorizonMs: OptionalLong.empty \
                 position: 0 CreateTime: 1001 size: ";
    assert!(lines[2].starts_with(begin), "{}", lines[2]);
    assert!(
        lines[2].contains(" magic: 2 compresscodec: none crc: ")
            && lines[2].ends_with(" isvalid: true")
    );
    assert_eq!(
        lines[3..],
        [
            "| offset: 5 CreateTime: 1000 keySize: 3 valueSize: 5 sequence: 20 headerKeys: [h] key: key payload: value",
            "| offset: 6 CreateTime: 1001 keySize: -1 valueSize: -1 sequence: 21 headerKeys: []",
        ]
    );
}

#[test]
fn damage_is_told() {
    let mut bytes = batch().to_vec();
    let last = bytes.len() - 1;
    bytes[last] ^= 1;
    bytes.extend([1, 2, 3]);
    let text = dumped("00000000000000000005.log", &bytes, &[]).unwrap();
    assert!(
        text.contains(
            "isvalid: false\nFound 3 invalid bytes at the end of 00000000000000000005.log\n"
        ),
        "{text}"
    );
}

#[test]
fn what_cannot_be_decoded_is_refused() {
    for option in [
        &["--transaction-log-decoder"][..],
        &["--value-decoder-class", "a.B"],
    ] {
        assert!(
            dumped("00000000000000000005.log", &batch(), option).is_err(),
            "{option:?}"
        );
    }
    assert!(dumped("x.log", b"", &[]).is_err());
}

#[test]
fn an_index_is_compared_with_its_log() {
    let dir = tempfile::tempdir().unwrap();
    let index = dir.path().join("00000000000000000005.index");
    fs::write(
        dir.path().join("00000000000000000005.log"),
        [batch(), batch()].concat(),
    )
    .unwrap();
    let position = batch().len() as u32;
    fs::write(
        &index,
        [1_u32.to_be_bytes(), position.to_be_bytes()].concat(),
    )
    .unwrap();
    let options = Options::parse(OPTIONS, &[]).unwrap();
    let dump = Dump::of(&options).unwrap();
    let mut out = Vec::new();
    dump.offset_index(&index, 5, &mut out).unwrap();
    assert_eq!(
        String::from_utf8(out).unwrap(),
        format!("offset: 6 position: {position}\n")
    );
    let entry = [9_u32.to_be_bytes(), position.to_be_bytes()].concat();
    assert_eq!(dump.mismatches(&index, &entry, 5).unwrap(), [(14, 6)]);
}
