use super::*;

fn wrong(line: &str) -> String {
    let args: Vec<String> = line.split(' ').map(ToOwned::to_owned).collect();
    let mut out = Vec::new();
    let error = run(&args, &mut out).unwrap_err();
    assert!(out.is_empty(), "{line}: {}", String::from_utf8_lossy(&out));
    error.to_string()
}

#[test]
fn options_that_do_not_go_together_are_refused_in_kafkas_words() {
    let at = "--bootstrap-server h:1";
    for (line, words) in [
        ("--list", "--bootstrap-server must be specified"),
        ("--bogus", "bogus is not a recognized option"),
        (
            "--list --describe",
            "Command must include exactly one action: --list, --describe, --create, --alter or --delete",
        ),
        (
            "--create --bootstrap-server h:1",
            "Missing required argument \"[topic]\"",
        ),
        (
            "--alter --topic t --bootstrap-server h:1",
            "Missing required argument \"[partitions]\"",
        ),
    ] {
        assert_eq!(wrong(line), words);
    }
    for (line, option, other) in [
        ("--list --partitions 1", "partitions", "list"),
        ("--delete --topic t --config a=b", "config", "delete"),
        (
            "--alter --partitions 2 --topic t --replication-factor 1",
            "replication-factor",
            "alter",
        ),
        (
            "--create --topic t --replica-assignment 1 --partitions 1",
            "replica-assignment",
            "partitions",
        ),
        (
            "--describe --unavailable-partitions --topics-with-overrides",
            "unavailable-partitions",
            "topics-with-overrides",
        ),
        ("--create --topic t --if-exists", "if-exists", "create"),
    ] {
        let said = wrong(&format!("{line} {at}"));
        assert_eq!(
            said,
            format!("Option \"[{option}]\" can't be used with option \"[{other}]\""),
            "{line}"
        );
    }
}

#[test]
fn an_assignment_by_hand_has_as_many_replicas_for_each_partition_and_none_twice() {
    assert_eq!(assignment("1:2,2:3").unwrap(), [[1, 2], [2, 3]]);
    assert!(assignment("").unwrap().is_empty());
    for (text, words) in [
        (
            "1:1",
            "Partition replica lists may not contain duplicate entries: 1",
        ),
        ("1:2,3", "Partition 1 has different replication factor: [3]"),
        ("x", "'x' is no list of broker ids with colons between them"),
    ] {
        assert_eq!(assignment(text).unwrap_err().to_string(), words);
    }
}

#[test]
fn a_config_is_a_name_and_a_value() {
    assert_eq!(
        configs(&["a = b"]).unwrap(),
        [("a".to_owned(), "b".to_owned())]
    );
    for text in ["a", "a=", "a=b=c"] {
        assert!(
            configs(&[text])
                .unwrap_err()
                .to_string()
                .contains("\"key=val\""),
            "{text}"
        );
    }
}
