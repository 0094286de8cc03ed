//! The tables of groups, column by column.

use super::*;

fn assigned(topics: &[(&str, &[i32])]) -> Vec<u8> {
    let mut bytes = vec![0, 0];
    bytes.extend((topics.len() as i32).to_be_bytes());
    for (topic, partitions) in topics {
        bytes.extend((topic.len() as i16).to_be_bytes());
        bytes.extend(topic.as_bytes());
        bytes.extend((partitions.len() as i32).to_be_bytes());
        bytes.extend(partitions.iter().flat_map(|p| p.to_be_bytes()));
    }
    bytes.extend((-1_i32).to_be_bytes());
    bytes
}

fn group(members: Vec<DescribedGroupMember>) -> DescribedGroup {
    DescribedGroup {
        group_id: "live".into(),
        group_state: "Stable".into(),
        members,
        ..DescribedGroup::default()
    }
}

fn member(id: &str, topics: &[(&str, &[i32])]) -> DescribedGroupMember {
    DescribedGroupMember {
        member_id: id.into(),
        client_id: "console-consumer".into(),
        client_host: "/127.0.0.1".into(),
        member_assignment: assigned(topics).into(),
        ..DescribedGroupMember::default()
    }
}

#[test]
fn an_assignment_is_read_as_consumers_write_it() {
    let bytes = assigned(&[("other", &[1, 0]), ("orders", &[2])]);
    let of = |topic: &str, partition| (topic.to_owned(), partition);
    assert_eq!(
        assignment(&bytes),
        [of("orders", 2), of("other", 0), of("other", 1)]
    );
    assert_eq!(by_topic(&assignment(&bytes)), "orders:2;other:0,1");
    for length in 0..bytes.len() - 4 {
        assert!(assignment(&bytes[..length]).is_empty(), "{length} bytes");
    }
    assert_eq!(by_topic(&[]), "-");
}

#[test]
fn the_table_of_offsets_has_kafkas_columns() {
    let committed = BTreeMap::from([
        (
            ("orders".to_owned(), 0),
            CommittedOffset {
                offset: 90,
                leader_epoch: 0,
            },
        ),
        (
            ("gone".to_owned(), 1),
            CommittedOffset {
                offset: 7,
                leader_epoch: -1,
            },
        ),
    ]);
    let mut rows = rows_of(
        &group(vec![member("c-1", &[("orders", &[0, 1])])]),
        &committed,
    );
    rows[0].end = Some(100);
    rows[1].end = Some(3);
    let mut out = Vec::new();
    write_offsets("live", &rows, false, &mut out).unwrap();
    let text = String::from_utf8(out).unwrap();
    let lines: Vec<&str> = text.lines().collect();
    assert_eq!(
        lines,
        [
            "",
            "GROUP           TOPIC           PARTITION  CURRENT-OFFSET  LOG-END-OFFSET  LAG             CONSUMER-ID     HOST            CLIENT-ID",
            "live            orders          0          90              100             10              c-1             /127.0.0.1      console-consumer",
            "live            orders          1          -               3               -               c-1             /127.0.0.1      console-consumer",
            "live            gone            1          7               -               -               -               -               -",
        ]
    );
}

#[test]
fn members_are_shown_with_what_they_read() {
    let mut out = Vec::new();
    let it = group(vec![member(
        "console-consumer-1",
        &[("orders", &[0, 1, 2])],
    )]);
    print_members(&it, false, &mut out).unwrap();
    print_members(&it, true, &mut out).unwrap();
    let text = String::from_utf8(out).unwrap();
    let lines: Vec<&str> = text.lines().collect();
    assert_eq!(
        lines,
        [
            "",
            "GROUP           CONSUMER-ID        HOST            CLIENT-ID        #PARTITIONS     ",
            "live            console-consumer-1 /127.0.0.1      console-consumer 3               ",
            "",
            "GROUP           CONSUMER-ID        HOST            CLIENT-ID        #PARTITIONS     CURRENT-EPOCH   CURRENT-ASSIGNMENT   TARGET-EPOCH    TARGET-ASSIGNMENT   ",
            "live            console-consumer-1 /127.0.0.1      console-consumer 3               -               orders:0,1,2         -               -                   ",
        ]
    );
}
