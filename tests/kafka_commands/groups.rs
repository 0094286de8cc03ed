//! `kafka-consumer-groups`: its tables, plans and refusals are those that Kafka 4.3 prints for the same groups.

use std::fs;
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use crate::harness::broker::Broker;
use crate::harness::scratch_dir;
use crate::{Ended, run, run_with_input, succeed};

/// Far more than a rebalance needs, even on a busy machine.
const DEADLINE: Duration = Duration::from_secs(60);
const PLAN_HEAD: &str = "\nGROUP           TOPIC           PARTITION  NEW-OFFSET";

fn groups(at: &str, line: &str) -> Ended {
    let mut args = vec!["--bootstrap-server", at];
    args.extend(line.split(' '));
    let ended = run("kafka-consumer-groups", &args);
    assert_eq!(ended.code, 0, "{line}: {} {}", ended.out, ended.err);
    ended
}

fn printed(at: &str, line: &str) -> String {
    groups(at, line).out
}

/// A broker with ten records in `orders`, and the group `g` that has read them.
fn broker_with_a_group() -> (Broker, String) {
    let broker = Broker::start(&[("group.initial.rebalance.delay.ms", "0")]);
    let at = broker.bootstrap();
    create(&at, "orders", 1);
    let sent = run_with_input(
        "kafka-console-producer",
        &["--bootstrap-server", &at, "--topic", "orders"],
        "0\n1\n2\n3\n4\n5\n6\n7\n8\n9\n",
    );
    assert_eq!(sent.code, 0, "{}", sent.err);
    let line = "--topic orders --group g --from-beginning --max-messages 10";
    let mut args = vec!["--bootstrap-server", &at];
    args.extend(line.split(' '));
    succeed("kafka-console-consumer", &args);
    (broker, at)
}

fn create(at: &str, topic: &str, partitions: u32) {
    let partitions = partitions.to_string();
    let mut args = vec!["--bootstrap-server", at, "--create", "--topic", topic];
    args.extend(["--partitions", &partitions]);
    succeed("kafka-topics", &args);
}

/// A console consumer in the background; killed, without a word to its group, when it is dropped.
struct Member(Child);

impl Member {
    fn start(at: &str, line: &str, stdout: Stdio) -> Member {
        let mut command = Command::new(env!("CARGO_BIN_EXE_vltava"));
        command.args(["kafka-console-consumer", "--bootstrap-server", at]);
        command.args(line.split(' '));
        command.stdin(Stdio::null()).stderr(Stdio::null());
        Member(command.stdout(stdout).spawn().expect("the binary runs"))
    }
}

impl Drop for Member {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// The number of partitions of each member, the fewest first.
fn shares(at: &str, group: &str) -> Vec<usize> {
    let table = printed(at, &format!("--describe --group {group} --members"));
    let rows = table.lines().filter(|line| line.starts_with(group));
    let count = |row: &str| row.split_whitespace().last().and_then(|n| n.parse().ok());
    let mut shares: Vec<usize> = rows.filter_map(count).collect();
    shares.sort_unstable();
    shares
}

fn wait_for_shares(at: &str, group: &str, wanted: &[usize]) {
    let since = Instant::now();
    loop {
        let shares = shares(at, group);
        if shares == wanted {
            return;
        }
        assert!(
            since.elapsed() < DEADLINE,
            "{shares:?} in place of {wanted:?}"
        );
        thread::sleep(Duration::from_millis(100));
    }
}

#[test]
fn groups_are_listed_with_their_types_and_states() {
    let (_broker, at) = broker_with_a_group();
    assert_eq!(printed(&at, "--list"), "g\n");
    let name = format!("{:<25}", "g");
    let head = format!("{:<25}", "GROUP");
    let (state, kind) = (format!(" {:<20}", "Empty"), format!(" {:<20}", "Classic"));
    let (states, kinds) = (format!(" {:<20}", "STATE"), format!(" {:<20}", "TYPE"));
    for (line, cells, heads) in [
        ("--list --state", state.clone(), states.clone()),
        ("--list --type", kind.clone(), kinds.clone()),
        ("--list --state empty", state.clone(), states.clone()),
        (
            "--list --state --type",
            format!("{kind}{state}"),
            format!("{kinds}{states}"),
        ),
    ] {
        assert_eq!(
            printed(&at, line),
            format!("{head}{heads}\n{name}{cells}\n"),
            "{line}"
        );
    }
    let none = printed(&at, "--list --state stable");
    assert_eq!(none, format!("{head}{states}\n"));
}

#[test]
fn a_group_without_members_is_described_by_what_it_committed() {
    let (broker, at) = broker_with_a_group();
    let nobody = "\nConsumer group 'g' has no active members.\n";
    let offsets = groups(&at, "--describe --group g");
    assert_eq!(
        offsets.out,
        "\nGROUP           TOPIC           PARTITION  CURRENT-OFFSET  LOG-END-OFFSET  LAG             CONSUMER-ID     HOST            CLIENT-ID\n\
         g               orders          0          10              10              0               -               -               -\n"
    );
    assert_eq!(offsets.err, nobody);
    assert_eq!(printed(&at, "--describe --group g --offsets"), offsets.out);
    assert_eq!(printed(&at, "--describe --all-groups"), offsets.out);
    assert_eq!(
        printed(&at, "--describe --group g --members"),
        "\nGROUP           CONSUMER-ID     HOST            CLIENT-ID       #PARTITIONS     \n"
    );
    let coordinator = format!("{:<25}", format!("127.0.0.1:{}  (1)", broker.port()));
    assert_eq!(
        printed(&at, "--describe --group g --state"),
        format!(
            "\nGROUP           COORDINATOR (ID)          ASSIGNMENT-STRATEGY  STATE                #MEMBERS\n\
             g               {coordinator} -                    Empty                0\n"
        )
    );
    let verbose = printed(&at, "--describe --group g --verbose");
    assert!(
        verbose.contains(" PARTITION  LEADER-EPOCH    CURRENT-OFFSET "),
        "{verbose}"
    );
}

#[test]
fn a_group_that_is_not_there_is_an_error_on_standard_output() {
    let broker = Broker::start(&[]);
    let at = broker.bootstrap();
    for view in ["", " --members", " --state"] {
        assert_eq!(
            printed(&at, &format!("--describe --group nix{view}")),
            "\nError: Executing consumer group command failed due to \
             org.apache.kafka.common.errors.GroupIdNotFoundException: Group nix not found.\n"
        );
    }
    assert_eq!(
        printed(&at, "--delete --group nix"),
        "\nError: Deletion of some consumer groups failed:\n* Group 'nix' could not be deleted due to: \
         org.apache.kafka.common.errors.GroupIdNotFoundException: The group id does not exist.\n"
    );
}

#[test]
fn every_way_to_reset_offsets_plans_what_kafka_plans() {
    let (_broker, at) = broker_with_a_group();
    let plan = |line: &str| printed(&at, &format!("--reset-offsets --group g {line}"));
    for (scenario, offset) in [
        ("--to-earliest", 0),
        ("--to-latest", 10),
        ("--to-current", 10),
        ("--to-offset 3", 3),
        ("--to-offset 99", 10),
        ("--shift-by -4", 6),
        ("--shift-by 5", 10),
        ("--to-datetime 2000-01-01T00:00:00.000", 0),
        ("--by-duration P1000D", 0),
    ] {
        let row = format!("\ng               orders          0          {offset}\n");
        for scope in ["--topic orders", "--topic orders:0", "--all-topics"] {
            assert_eq!(
                plan(&format!("{scope} {scenario} --dry-run")),
                format!("{PLAN_HEAD}{row}"),
                "{scope} {scenario}"
            );
        }
    }
    let late = plan("--topic orders --to-datetime 2099-01-01T00:00:00.000 --dry-run");
    assert_eq!(
        late,
        format!(
            "\nWarn: Partition 0 from topic orders is empty. Falling back to latest known offset.\n\
             {PLAN_HEAD}\ng               orders          0          10\n"
        )
    );
    assert_eq!(
        plan("--topic nix --to-earliest --dry-run"),
        "\nError: Executing consumer group command failed due to This server does not host this topic-partition.\n"
    );
    let described = printed(&at, "--describe --group g");
    assert!(
        described.contains(" 0          10              10 "),
        "a dry run moves nothing: {described}"
    );
}

#[test]
fn a_plan_is_exported_and_carried_out_from_the_file() {
    let (_broker, at) = broker_with_a_group();
    let exported = printed(
        &at,
        "--reset-offsets --group g --all-topics --to-offset 4 --export --dry-run",
    );
    assert_eq!(exported, "orders,0,4\n\n");
    let home = tempfile::tempdir_in(scratch_dir()).expect("a scratch folder");
    let file = home.path().join("plan.csv");
    fs::write(&file, exported).expect("the plan is written");
    let done = printed(
        &at,
        &format!(
            "--reset-offsets --group g --from-file {} --execute",
            file.display()
        ),
    );
    assert_eq!(
        done,
        format!("{PLAN_HEAD}\ng               orders          0          4\n")
    );
    let described = printed(&at, "--describe --group g");
    assert!(
        described.contains(" 0          4               10              6 "),
        "{described}"
    );
    let fresh = printed(
        &at,
        "--reset-offsets --group fresh --topic orders --to-latest --execute",
    );
    assert!(
        fresh.ends_with("\nfresh           orders          0          10\n"),
        "{fresh}"
    );
    assert_eq!(printed(&at, "--list"), "fresh\ng\n");
}

#[test]
fn offsets_and_groups_are_deleted() {
    let (_broker, at) = broker_with_a_group();
    assert_eq!(
        printed(&at, "--delete-offsets --group g --topic orders:0"),
        "Request succeeded for deleting offsets from group g.\n\n\
         TOPIC           PARTITION  STATUS         \norders          0          Successful     \n"
    );
    let refused = printed(&at, "--delete-offsets --group nix --topic orders");
    assert_eq!(
        refused,
        "\nError: The group id does not exist.\n\nTOPIC           PARTITION  STATUS         \n\
         orders          0          Error: org.apache.kafka.common.errors.GroupIdNotFoundException: The group id does not exist.\n"
    );
    printed(
        &at,
        "--reset-offsets --group g --topic orders --to-latest --execute",
    );
    assert_eq!(
        printed(&at, "--delete --group g"),
        "Deletion of requested consumer groups ('g') was successful.\n"
    );
    assert_eq!(printed(&at, "--list"), "");
}

#[test]
fn a_group_with_members_is_described_and_neither_moved_nor_deleted() {
    let (_broker, at) = broker_with_a_group();
    let _member = Member::start(&at, "--topic orders --group g", Stdio::null());
    wait_for_shares(&at, "g", &[1]);
    let verbose = printed(&at, "--describe --group g --members --verbose");
    let mut lines = verbose.lines().skip(1);
    let head: Vec<&str> = lines
        .next()
        .unwrap_or_default()
        .split_whitespace()
        .collect();
    assert_eq!(
        head.join(" "),
        "GROUP CONSUMER-ID HOST CLIENT-ID #PARTITIONS CURRENT-EPOCH CURRENT-ASSIGNMENT TARGET-EPOCH TARGET-ASSIGNMENT"
    );
    let row: Vec<&str> = lines
        .next()
        .unwrap_or_default()
        .split_whitespace()
        .collect();
    assert!(
        row[1].starts_with("console-consumer-") && row[1].len() > 50,
        "{row:?}"
    );
    assert_eq!(
        (row[0], &row[2..]),
        (
            "g",
            &[
                "/127.0.0.1",
                "console-consumer",
                "1",
                "-",
                "orders:0",
                "-",
                "-"
            ][..]
        )
    );
    let state = printed(&at, "--describe --group g --state");
    assert!(
        state.ends_with(" range                Stable               1\n"),
        "{state}"
    );
    assert_eq!(
        printed(
            &at,
            "--reset-offsets --group g --topic orders --to-earliest --execute"
        ),
        format!(
            "\nError: Assignments can only be reset if the group 'g' is inactive, but the current state is Stable.\n{PLAN_HEAD}\n"
        )
    );
    assert_eq!(
        printed(&at, "--delete --group g"),
        "\nError: Deletion of some consumer groups failed:\n* Group 'g' could not be deleted due to: \
         org.apache.kafka.common.errors.GroupNotEmptyException: The group is not empty.\n"
    );
    let offsets = printed(&at, "--delete-offsets --group g --topic orders");
    assert!(
        offsets.starts_with(
            "\nError: Encountered some partition-level error, see the follow-up details.\n"
        ) && offsets.contains("GroupSubscribedToTopicException"),
        "{offsets}"
    );
}

#[test]
fn two_console_consumers_share_partitions_and_one_takes_over_when_the_other_is_killed() {
    let broker = Broker::start(&[
        ("group.initial.rebalance.delay.ms", "0"),
        ("group.min.session.timeout.ms", "1000"),
    ]);
    let at = broker.bootstrap();
    create(&at, "shared", 4);
    let line = "--topic shared --group duo --consumer-property session.timeout.ms=6000 --consumer-property heartbeat.interval.ms=300";
    let first = Member::start(&at, line, Stdio::null());
    wait_for_shares(&at, "duo", &[4]);
    let second = Member::start(&at, line, Stdio::null());
    wait_for_shares(&at, "duo", &[2, 2]);
    drop(first);
    wait_for_shares(&at, "duo", &[4]);
    drop(second);
}

#[test]
fn members_notice_new_partitions_and_new_topics() {
    let broker = Broker::start(&[("group.initial.rebalance.delay.ms", "0")]);
    let at = broker.bootstrap();
    create(&at, "grows-a", 1);
    let line = "--include grows-.* --group g --consumer-property metadata.max.age.ms=500 --consumer-property heartbeat.interval.ms=300";
    let _first = Member::start(&at, line, Stdio::null());
    wait_for_shares(&at, "g", &[1]);
    let mut alter = vec!["--bootstrap-server", &at, "--alter", "--topic", "grows-a"];
    alter.extend(["--partitions", "3"]);
    succeed("kafka-topics", &alter);
    wait_for_shares(&at, "g", &[3]);
    create(&at, "grows-b", 2);
    wait_for_shares(&at, "g", &[5]);
}

/// Kafka's members send heartbeats while their owner works, up to `max.poll.interval.ms`.
#[test]
fn a_member_whose_output_nobody_reads_keeps_its_place_until_it_is_too_long() {
    let broker = Broker::start(&[
        ("group.initial.rebalance.delay.ms", "0"),
        ("group.min.session.timeout.ms", "100"),
    ]);
    let at = broker.bootstrap();
    create(&at, "t", 1);
    let lines = format!("{}\n", "x".repeat(1000)).repeat(2000);
    let sent = run_with_input(
        "kafka-console-producer",
        &["--bootstrap-server", &at, "--topic", "t"],
        &lines,
    );
    assert_eq!(sent.code, 0, "{}", sent.err);
    let member = |group: &str, most: &str| {
        let line = format!(
            "--topic t --group {group} --from-beginning --consumer-property session.timeout.ms=1500 \
             --consumer-property heartbeat.interval.ms=200 --consumer-property max.poll.interval.ms={most}"
        );
        Member::start(&at, &line, Stdio::piped())
    };
    // Their pipes are full after 64 KiB of 2 MB.
    let _patient = member("patient", "60000");
    let _hasty = member("hasty", "2000");
    wait_for_shares(&at, "hasty", &[1]);
    wait_for_shares(&at, "patient", &[1]);
    wait_for_shares(&at, "hasty", &[]);
    // By now the first has been silent for longer than its session as well.
    assert_eq!(shares(&at, "patient"), [1]);
}
