use super::*;

fn reader(bytes: &[u8]) -> Reader {
    Reader::new(Bytes::copy_from_slice(bytes))
}

#[test]
fn integers_are_big_endian() {
    let mut r = reader(&[0x01, 0x02, 0xff, 0xff, 0xff, 0xfe, 0x80]);
    assert_eq!(r.i16().unwrap(), 0x0102);
    assert_eq!(r.i32().unwrap(), -2);
    assert_eq!(r.i8().unwrap(), i8::MIN);
    assert_eq!(
        r.i8().unwrap_err(),
        WireError::Truncated {
            position: 7,
            needed: 1,
            remaining: 0
        }
    );
}

#[test]
fn a_failed_read_takes_nothing() {
    let mut r = reader(&[1, 2, 3]);
    assert!(r.i32().is_err());
    assert_eq!((r.position(), r.remaining()), (0, 3));
}

#[test]
fn varints_have_at_most_five_bytes() {
    assert_eq!(reader(&[0x00]).uvarint().unwrap(), 0);
    assert_eq!(reader(&[0xac, 0x02]).uvarint().unwrap(), 300);
    assert_eq!(
        reader(&[0xff, 0xff, 0xff, 0xff, 0x0f]).uvarint().unwrap(),
        u32::MAX
    );
    let too_long = reader(&[0x80, 0x80, 0x80, 0x80, 0x80, 0x00]).uvarint();
    assert_eq!(
        too_long.unwrap_err(),
        WireError::VarintTooLong { position: 0 }
    );
    assert!(matches!(
        reader(&[0x80]).uvarint(),
        Err(WireError::Truncated { position: 1, .. })
    ));
}

#[test]
fn compact_zero_is_null_and_one_is_empty() {
    assert_eq!(reader(&[0]).nullable_text(true).unwrap(), None);
    assert_eq!(reader(&[1]).nullable_text(true).unwrap(), Some(Text::EMPTY));
    assert_eq!(
        reader(&[3, b'h', b'i']).nullable_text(true).unwrap(),
        Some(Text::from("hi"))
    );
    assert_eq!(reader(&[0xff, 0xff]).nullable_text(false).unwrap(), None);
    assert_eq!(
        reader(&[0, 2, b'h', b'i']).nullable_text(false).unwrap(),
        Some(Text::from("hi"))
    );
}

#[test]
fn strings_longer_than_an_int16_are_refused_in_both_forms() {
    let length = reader(&[0xff, 0xfe]).nullable_text(false).unwrap_err();
    assert_eq!(
        length,
        WireError::InvalidLength {
            position: 0,
            length: -2
        }
    );
    let mut frame = vec![0x81, 0x80, 0x02]; // varint 32769: a length of 32768
    frame.resize(40_000, b'a');
    let length = reader(&frame).nullable_text(true).unwrap_err();
    assert_eq!(
        length,
        WireError::InvalidLength {
            position: 0,
            length: 32_768
        }
    );
}

#[test]
fn a_string_that_is_not_utf8_is_refused_where_it_starts() {
    let fault = reader(&[0, 2, 0xc3, 0x28])
        .nullable_text(false)
        .unwrap_err();
    assert_eq!(fault, WireError::NotUtf8 { position: 2 });
}

#[test]
fn slices_share_the_memory_of_the_frame() {
    let frame = Bytes::from(vec![0, 0, 0, 2, 7, 8]);
    let taken = Reader::new(frame.clone())
        .nullable_bytes(false)
        .unwrap()
        .unwrap();
    assert_eq!(taken.as_ptr(), frame[4..].as_ptr());
}

#[test]
fn an_array_that_cannot_fit_is_refused_before_memory_is_taken() {
    let mut frame = 1_000_000i32.to_be_bytes().to_vec();
    frame.resize(104, 0);
    let fault = reader(&frame).array_length(false, 4, 4).unwrap_err();
    assert_eq!(
        fault,
        WireError::ArrayTooLong {
            position: 4,
            claimed: 1_000_000,
            remaining: 100
        }
    );
    let mut exact = 25i32.to_be_bytes().to_vec();
    exact.resize(104, 0);
    assert_eq!(reader(&exact).array_length(false, 4, 4).unwrap(), Some(25));
}

#[test]
fn arrays_of_one_frame_share_one_memory_budget() {
    let elements = 100_000usize;
    let mut frame = (elements as i32).to_be_bytes().to_vec();
    frame.resize(4 + elements, 0);
    let within = memory_budget(frame.len()) / elements;
    assert_eq!(
        reader(&frame).array_length(false, 1, within).unwrap(),
        Some(elements)
    );
    let fault = reader(&frame)
        .array_length(false, 1, within + 1)
        .unwrap_err();
    assert_eq!(
        fault,
        WireError::MemoryBudget {
            position: 4,
            frame: frame.len()
        }
    );
}

#[test]
fn unknown_tagged_fields_are_skipped() {
    let mut r = reader(&[2, 0, 1, 0xaa, 5, 2, 0xbb, 0xcc, 0x77]);
    let mut seen = Vec::new();
    r.tagged_fields(|r, tag| {
        if tag == 0 {
            seen.push(r.i8()?);
        }
        Ok(tag == 0)
    })
    .unwrap();
    assert_eq!(seen, [0xaau8 as i8]);
    assert_eq!(r.remaining(), 1);
}

#[test]
fn tags_must_ascend() {
    let fault = reader(&[2, 1, 0, 1, 0])
        .tagged_fields(|_, _| Ok(false))
        .unwrap_err();
    assert_eq!(
        fault,
        WireError::TagOrder {
            position: 4,
            tag: 1,
            previous: 1
        }
    );
}

#[test]
fn a_tagged_field_must_fill_its_size() {
    let known = |r: &mut Reader, _| r.i16().map(|_| true);
    let fault = reader(&[1, 0, 3, 1, 2, 3])
        .tagged_fields(known)
        .unwrap_err();
    assert_eq!(
        fault,
        WireError::TagSize {
            position: 5,
            tag: 0,
            claimed: 3,
            actual: 2
        }
    );
}
