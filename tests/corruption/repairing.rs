//! `vltava check --repair`: what is safe is done and said, the rest is left as it is; and when nothing is checked at all.

use std::fs;
use std::path::Path;

use crate::damage::*;
use crate::fixture::State::{Clean, Killed};
use crate::fixture::*;
use crate::reading::{check, read};

#[test]
fn nothing_is_wrong_with_a_directory_as_a_broker_leaves_it() {
    for state in [Clean, Killed] {
        let data = copy(state);
        let before = names(data.path());
        for options in [&[][..], &["--records"], &["--repair"]] {
            let (code, checked) = check(data.path(), options);
            assert_eq!(code, 0, "{state:?} {options:?}: {checked}");
            assert!(checked.contains("nothing is wrong"), "{checked}");
            assert_eq!(checked.lines().count(), 1, "{checked}");
        }
        assert_eq!(names(data.path()), before, "a check writes nothing");
    }
}

#[test]
fn what_can_be_made_again_is_and_a_torn_end_is_kept_beside_its_log() {
    let data = copy(Killed);
    let (index, small, torn) = (
        Part::new(data.path(), 0),
        Part::new(data.path(), 1),
        Part::new(data.path(), 2),
    );
    write(&index.file(0, "index"), [0x5a; 80]);
    remove(&index.file(1, "timeindex"));
    write(&small.dir.join("leader-epoch-checkpoint"), "noise");
    flip_from_end(&small.dir.join("00000000000000000060.snapshot"), 3, 1);
    write(&small.dir.join("00000000000000000000.index.1.tmp"), "x");
    write(&data.path().join("replication-offset-checkpoint"), "noise");
    fs::create_dir(
        data.path()
            .join("x-0.0123456789abcdef0123456789abcdef-delete"),
    )
    .expect("made");
    let (position, size) = torn.batch(4, 3);
    truncate(&torn.log(4), position + size / 2);

    let (code, checked) = check(data.path(), &[]);
    assert_eq!(code, 1, "{checked}");
    assert!(checked.ends_with("7 wrong\n"), "{checked}");
    let (code, repaired) = check(data.path(), &["--repair"]);
    assert_eq!(code, 0, "{repaired}");
    assert!(repaired.contains("6 wrong, all put right"), "{repaired}");
    let kept = fs::read(torn.file(4, "log.0.damaged")).expect("the torn bytes");
    assert_eq!(kept.len() as u64, size / 2);
    let (code, again) = check(data.path(), &[]);
    // The epochs' file is missing now, until a start writes it.
    assert!(code == 1 && again.ends_with("1 wrong\n"), "{again}");
    assert!(again.contains("log.0.damaged"), "{again}");

    let (mut broker, mut client) = serve(data.path());
    for (partition, end) in [
        (0, KILLED_END),
        (1, KILLED_END),
        (2, KILLED_END - RECORDS_PER_BATCH),
    ] {
        let reading = read(&mut client, partition);
        assert_eq!(reading.right.len() as i64, end, "{reading:?}");
    }
    drop(client);
    broker.signal("TERM");
    assert!(broker.wait().0.success());
    let (code, checked) = check(data.path(), &[]);
    assert_eq!(code, 0, "{checked}");
}

#[test]
fn damage_before_whole_batches_is_told_with_its_offsets_and_left_alone() {
    let data = copy(Killed);
    let part = Part::new(data.path(), 3);
    part.flip_in_batch(4, 1, 61, 1);
    let before = fs::read(part.log(4)).expect("a segment");
    let (code, checked) = check(data.path(), &["--repair"]);
    assert_eq!(code, 1, "{checked}");
    for words in ["offset 85", "begins with offset 90", "1 wrong\n"] {
        assert!(checked.contains(words), "{words}: {checked}");
    }
    assert_eq!(fs::read(part.log(4)).expect("a segment"), before);
}

#[test]
fn a_directory_that_cannot_be_checked_is_told_apart() {
    let data = copy(Clean);
    let (broker, _client) = serve(data.path());
    let (code, said) = check(data.path(), &["--repair"]);
    assert!(code == 2 && said.contains("running broker"), "{said}");
    drop(broker);
    let nowhere = data.path().join("nowhere");
    let (code, said) = check(&nowhere, &[]);
    assert!(code == 2 && said.contains("nowhere"), "{said}");
    fs::create_dir(&nowhere).expect("made");
    let (code, said) = check(&nowhere, &[]);
    assert!(code == 2 && said.contains("no data directory"), "{said}");
}

/// Every file below a directory.
fn names(dir: &Path) -> Vec<String> {
    let mut found = Vec::new();
    for entry in fs::read_dir(dir).expect("a folder").flatten() {
        match entry.path() {
            path if path.is_dir() => found.extend(names(&path)),
            path => found.push(path.display().to_string()),
        }
    }
    found.sort();
    found
}
