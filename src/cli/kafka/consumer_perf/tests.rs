//! Lines of the consumer's test.

use super::*;

fn test_of(line: &str) -> Result<Test, String> {
    let args: Vec<String> = line.split(' ').map(ToOwned::to_owned).collect();
    let options = Options::parse(OPTIONS, &args).map_err(|error| error.to_string())?;
    Test::of(&options, &mut Vec::new()).map_err(|error| error.to_string())
}

#[test]
fn the_last_line_has_kafkas_columns() {
    let mut reading = Reading::start(test_of("--topic t --messages 2000").unwrap());
    reading.began_ms = 1_795_714_200_123;
    reading.all = Counts {
        records: 2000,
        bytes: 200_000,
    };
    assert_eq!(
        reading.summary(reading.began_ms + 500),
        "2026-11-26 17:30:00:123, 2026-11-26 17:30:00:623, 0.1907, 0.3815, 2000, 4000.0000, 0, 500, 0.3815, 4000.0000"
    );
}

#[test]
fn what_is_missing_or_wrong_is_said() {
    for (line, words) in [
        ("--topic t", "Missing required argument \"[num-records]\""),
        ("--num-records 5", "Missing required argument \"[topic]\""),
        ("--topic t --num-records 5 --date-format Q", "has Q"),
        (
            "--topic t --num-records 5 --reporting-interval 0",
            "greater than 0",
        ),
    ] {
        assert!(test_of(line).err().expect(line).contains(words), "{line}");
    }
}
