//! A record as the tests see it, the record lines of `tests/clients/README.md`, and the comparison bit for bit.

use std::time::{SystemTime, UNIX_EPOCH};

use base64::Engine;
use base64::prelude::BASE64_STANDARD;

/// One record: what a client is asked to write, or what one has read.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Record {
    pub topic: String,
    /// `None` before it is written leaves the choice to the client's partitioner.
    pub partition: Option<i32>,
    /// `None` until it is written.
    pub offset: Option<i64>,
    pub timestamp_ms: i64,
    pub key: Option<Vec<u8>>,
    pub value: Option<Vec<u8>>,
    pub headers: Vec<(String, Option<Vec<u8>>)>,
}

impl Record {
    /// A record without headers, dated now, whose partition its producer chooses.
    pub fn new(topic: &str, key: Option<Vec<u8>>, value: Option<Vec<u8>>) -> Record {
        Record {
            topic: topic.to_owned(),
            partition: None,
            offset: None,
            timestamp_ms: now_ms(),
            key,
            value,
            headers: Vec::new(),
        }
    }

    /// Appends this record's line, newline included.
    pub fn write_line(&self, line: &mut String) {
        line.push_str(&self.topic);
        let numbers = [
            self.partition.map(i64::from),
            self.offset,
            Some(self.timestamp_ms),
        ];
        for number in numbers {
            line.push('\t');
            match number {
                Some(number) => line.push_str(&number.to_string()),
                None => line.push('-'),
            }
        }
        write_bytes(line, self.key.as_deref());
        write_bytes(line, self.value.as_deref());
        for (name, content) in &self.headers {
            write_bytes(line, Some(name.as_bytes()));
            write_bytes(line, content.as_deref());
        }
        line.push('\n');
    }

    /// Reads the line of a record that a client has consumed.
    ///
    /// # Panics
    /// On anything that a driver must not print.
    pub fn parse_line(line: &str) -> Record {
        let fields: Vec<&str> = line.split('\t').collect();
        let [
            topic,
            partition,
            offset,
            timestamp,
            key,
            value,
            headers @ ..,
        ] = fields.as_slice()
        else {
            panic!("not a record line: {line:?}");
        };
        assert!(
            headers.len().is_multiple_of(2),
            "a header without a value: {line:?}"
        );
        Record {
            topic: (*topic).to_owned(),
            partition: Some(partition.parse().expect("a partition")),
            offset: Some(offset.parse().expect("an offset")),
            timestamp_ms: timestamp.parse().expect("a timestamp"),
            key: parse_bytes(key),
            value: parse_bytes(value),
            headers: headers
                .chunks_exact(2)
                .map(|pair| {
                    let name = parse_bytes(pair[0]).expect("a header's key is never null");
                    (
                        String::from_utf8(name).expect("a header's key is UTF-8"),
                        parse_bytes(pair[1]),
                    )
                })
                .collect(),
        }
    }

    /// Topic, partition and offset: where the record is.
    fn place(&self) -> (&str, Option<i32>, Option<i64>) {
        (&self.topic, self.partition, self.offset)
    }
}

fn write_bytes(line: &mut String, bytes: Option<&[u8]>) {
    line.push('\t');
    match bytes {
        Some(bytes) => BASE64_STANDARD.encode_string(bytes, line),
        None => line.push('-'),
    }
}

fn parse_bytes(field: &str) -> Option<Vec<u8>> {
    (field != "-").then(|| BASE64_STANDARD.decode(field).expect("base64"))
}

/// Orders records by topic, partition and offset.
pub fn sort_by_place(records: &mut [Record]) {
    records.sort_by(|a, b| a.place().cmp(&b.place()));
}

/// Checks that a client read exactly what was written, each record at the place its producer was told.
///
/// # Panics
/// With the first difference.
pub fn assert_same_records(mut written: Vec<Record>, read: &[Record], what: &str) {
    sort_by_place(&mut written);
    for (expected, found) in written.iter().zip(read) {
        assert!(
            expected == found,
            "{what}: the first difference:\nwritten {}\nread    {}",
            show(expected),
            show(found)
        );
    }
    assert_eq!(written.len(), read.len(), "{what}: number of records");
}

/// Checks the places that the producers of a new topic were told: each partition has every offset from 0 on, once.
pub fn assert_offsets_without_gap(written: &[Record], what: &str) {
    let mut sorted = written.to_vec();
    sort_by_place(&mut sorted);
    let mut next = (None, 0);
    for record in &sorted {
        let partition = record.partition;
        let expected = if next.0 == partition { next.1 } else { 0 };
        assert_eq!(
            record.offset,
            Some(expected),
            "{what}: offsets of partition {partition:?}"
        );
        next = (partition, expected + 1);
    }
}

/// Checks that records bound for one partition lie there in the order in which they were sent.
pub fn assert_order_kept(sent: &[Record], what: &str) {
    let mut last = std::collections::HashMap::new();
    for record in sent {
        let before = last.insert(record.partition, record.offset);
        assert!(
            before < Some(record.offset),
            "{what}: {before:?} was sent before {:?}",
            record.offset
        );
    }
}

/// The time now, as a record's timestamp.
pub fn now_ms() -> i64 {
    let since_epoch = SystemTime::now().duration_since(UNIX_EPOCH);
    let since_epoch = since_epoch.expect("a clock that is not before 1970");
    i64::try_from(since_epoch.as_millis()).expect("this century")
}

/// A record without the bulk of its bytes.
fn show(record: &Record) -> String {
    let bytes = |bytes: &Option<Vec<u8>>| match bytes {
        None => "null".to_owned(),
        Some(bytes) => format!(
            "{} bytes \"{}\"",
            bytes.len(),
            bytes[..bytes.len().min(40)].escape_ascii()
        ),
    };
    let headers: Vec<String> = record
        .headers
        .iter()
        .map(|(name, content)| format!("{name:?}={}", bytes(content)))
        .collect();
    format!(
        "{}-{:?} offset {:?} timestamp {} key {} value {} headers [{}]",
        record.topic,
        record.partition,
        record.offset,
        record.timestamp_ms,
        bytes(&record.key),
        bytes(&record.value),
        headers.join(", ")
    )
}
