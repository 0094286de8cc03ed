//! Command lines and payloads of the producer's test.

use super::*;

fn test_of(line: &str) -> Result<Test, String> {
    let args: Vec<String> = line.split(' ').map(ToOwned::to_owned).collect();
    let options = Options::parse(OPTIONS, &args).map_err(|error| error.to_string())?;
    Test::of(&options, &mut Vec::new()).map_err(|error| error.to_string())
}

#[test]
fn one_kind_of_payload_is_asked_for() {
    let base = "--topic t --num-records 5 --throughput -1";
    assert!(test_of(&format!("{base} --record-size 9")).is_ok());
    for (more, words) in [
        ("", "is required"),
        (" --record-size 9 --payload-monotonic", "exactly one"),
        (" --record-size 0", "greater than zero"),
        (" --record-size 9 --transactional-id x", "no transactions"),
        (" --record-size 9 --warmup-records 5", "strictly fewer"),
    ] {
        let refused = test_of(&format!("{base}{more}")).err().expect(more);
        assert!(refused.contains(words), "{more}: {refused}");
    }
    let refused = test_of("--topic t --record-size 1 --throughput 1")
        .err()
        .unwrap();
    assert!(
        refused.ends_with("argument --num-records is required"),
        "{refused}"
    );
}

#[test]
fn letters_differ_from_record_to_record_and_numbers_grow() {
    let mut random = Random(1);
    let mut letters = Payload::Letters(vec![0; 50]);
    let first = letters.next(0, &mut random).to_vec();
    assert!(first.iter().all(u8::is_ascii_uppercase));
    assert_ne!(first, letters.next(1, &mut random));
    assert_eq!(Payload::Number(String::new()).next(41, &mut random), b"41");
}
