use bytes::Bytes;

use crate::wire::{Message, Reader, Text, WireError, Writer};

schema! {
    /// One of each kind of field.
    message Sample (versions 0..=4, flexible 3) {
        /// In all versions.
        number: i32 [0..],
        /// Null from version 2 on only.
        note: Option<Text> [1..] nullable [2..],
        /// Ended with version 2.
        old: i16 [0..=2] = -1,
        /// Tagged, with a default of its own.
        level: i64 [3..] tag 0 = -1,
        /// Tagged structure.
        inner: Inner [4..] tag 5,
        /// Structures in an array.
        list: Vec<Inner> [0..],
        /// A structure or null.
        cursor: Option<Inner> [2..] nullable [2..],
    }

    /// A structure.
    struct Inner {
        /// A byte.
        byte: i8 [0..],
        /// Only in later versions.
        late: u16 [4..],
    }
}

fn encoded(sample: &Sample, version: i16) -> Bytes {
    let mut w = Writer::default();
    sample.encode(&mut w, version);
    w.finish_bytes()
}

fn decoded(bytes: &[u8], version: i16) -> Result<Sample, WireError> {
    Sample::decode(&mut Reader::new(Bytes::copy_from_slice(bytes)), version)
}

fn full() -> Sample {
    Sample {
        number: 1,
        note: Some(Text::from("n")),
        old: 2,
        level: 3,
        inner: Inner { byte: 4, late: 5 },
        list: vec![Inner { byte: 6, late: 7 }],
        cursor: Some(Inner { byte: 8, late: 9 }),
    }
}

#[test]
fn each_version_has_its_own_layout() {
    assert_eq!(encoded(&full(), 0)[..], [0, 0, 0, 1, 0, 2, 0, 0, 0, 1, 6]);
    assert_eq!(
        encoded(&full(), 2)[..],
        [0, 0, 0, 1, 0, 1, b'n', 0, 2, 0, 0, 0, 1, 6, 1, 8]
    );
    let v4 = [
        &[0, 0, 0, 1, 2, b'n'][..],         // number, note
        &[2, 6, 0, 7, 0],                   // list: one element, ending with its tagged fields
        &[1, 8, 0, 9, 0],                   // cursor
        &[2, 0, 8, 0, 0, 0, 0, 0, 0, 0, 3], // two tagged fields: level
        &[5, 4, 4, 0, 5, 0],                // inner
    ];
    assert_eq!(encoded(&full(), 4)[..], v4.concat());
}

#[test]
fn fields_a_version_lacks_come_back_as_their_defaults() {
    let v0 = decoded(&encoded(&full(), 0), 0).unwrap();
    let expected = Sample {
        number: 1,
        old: 2,
        list: vec![Inner { byte: 6, late: 0 }],
        ..Sample::default()
    };
    assert_eq!(v0, expected);
    assert_eq!((v0.level, v0.note), (-1, None));
    assert_eq!(
        decoded(&encoded(&full(), 4), 4).unwrap(),
        Sample { old: -1, ..full() }
    );
}

#[test]
fn tagged_fields_at_their_defaults_are_not_sent() {
    let bytes = encoded(&Sample::default(), 4);
    assert_eq!(bytes[..], [0, 0, 0, 0, 0, 1, 0xff, 0]);
}

#[test]
fn null_is_refused_and_written_as_empty_where_a_version_has_no_null() {
    let null = Sample {
        note: None,
        ..full()
    };
    assert_eq!(
        decoded(&encoded(&null, 1), 1).unwrap().note,
        Some(Text::EMPTY)
    );
    assert_eq!(decoded(&encoded(&null, 2), 2).unwrap().note, None);
    let fault = decoded(&[0, 0, 0, 1, 0xff, 0xff, 0, 2, 0, 0, 0, 0], 1).unwrap_err();
    assert_eq!(
        fault.to_string(),
        "Sample.note at byte 6: null where this version does not allow it"
    );
}

#[test]
fn errors_name_the_innermost_field() {
    let fault = decoded(&[0, 0, 0, 1, 0, 2, 0, 0, 0, 2, 6], 0).unwrap_err();
    assert_eq!(
        fault.to_string(),
        "Sample.list at byte 10: an array of 2 elements cannot fit into the 1 bytes that remain"
    );
    let fault = decoded(&[0, 0, 0, 1, 2, b'n', 2, 6, 0], 4).unwrap_err();
    assert!(
        fault.to_string().starts_with("Sample.list at byte 7"),
        "{fault}"
    );
    let fault = decoded(&[0, 0, 0, 1, 2, b'n', 1, 1, 8], 4).unwrap_err();
    assert_eq!(
        fault.to_string(),
        "Inner.late at byte 9: 2 bytes needed, 0 remain"
    );
}

#[test]
fn a_tagged_field_of_a_later_version_is_skipped() {
    let mut bytes = encoded(&Sample::default(), 3).to_vec();
    let count = bytes.len() - 1;
    bytes.splice(count.., [1, 5, 2, 0xaa, 0xbb]);
    assert_eq!(
        decoded(&bytes, 3).unwrap(),
        Sample {
            list: vec![],
            ..Sample::default()
        }
    );
}

#[test]
fn versions_outside_of_the_schema_are_refused() {
    for version in [-1, 5] {
        let fault = decoded(&[0; 64], version).unwrap_err();
        assert_eq!(
            fault,
            WireError::UnsupportedVersion {
                message: "Sample",
                version
            }
        );
    }
}
