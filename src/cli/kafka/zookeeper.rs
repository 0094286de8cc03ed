//! `zookeeper-server-start`, `zookeeper-server-stop`, `zookeeper-shell` and `zookeeper-client`: there is no ZooKeeper any more,
//! and each says what to do instead.
//!
//! Start and stop end with 0, so that scripts which bring both up and down go on. The shell ends with 1: what it was asked
//! for has not been done.

use std::io::Write;

use super::CommandError;

/// `zookeeper-server-start`: nothing to start.
///
/// # Errors
/// Only when standard output cannot be written.
pub fn start(_args: &[String], out: &mut dyn Write) -> Result<(), CommandError> {
    writeln!(
        out,
        "No ZooKeeper is needed: the broker keeps its metadata itself. Nothing was started; go on with kafka-server-start."
    )?;
    Ok(())
}

/// `zookeeper-server-stop`: nothing to stop.
///
/// # Errors
/// Only when standard output cannot be written.
pub fn stop(_args: &[String], out: &mut dyn Write) -> Result<(), CommandError> {
    writeln!(
        out,
        "No ZooKeeper is running: the broker needs none. To stop the broker: kafka-server-stop."
    )?;
    Ok(())
}

/// `zookeeper-shell HOST:PORT COMMAND...`: says today's command.
///
/// # Errors
/// Always: nothing was done.
pub fn shell(args: &[String], _out: &mut dyn Write) -> Result<(), CommandError> {
    // `zookeeper-shell HOST:PORT ls /x`, `zookeeper-client -server HOST:PORT ls /x`.
    let words: Vec<&str> = args.iter().map(String::as_str).collect();
    let at = words
        .iter()
        .position(|word| SHELL_COMMANDS.contains(word))
        .unwrap_or(words.len());
    Err(CommandError::failed(format!(
        "There is no ZooKeeper: the broker keeps its metadata itself. {}",
        advice(&words[at..])
    )))
}

const SHELL_COMMANDS: &[&str] = &[
    "ls",
    "ls2",
    "get",
    "stat",
    "set",
    "create",
    "delete",
    "deleteall",
    "rmr",
];

/// The command of today for a command of ZooKeeper's shell.
fn advice(words: &[&str]) -> String {
    let broker = "--bootstrap-server HOST:9092";
    let (command, path) = (
        words.first().copied().unwrap_or_default(),
        words.get(1).copied().unwrap_or_default(),
    );
    let removes = matches!(command, "rmr" | "delete" | "deleteall");
    let parts: Vec<&str> = path.split('/').filter(|part| !part.is_empty()).collect();
    match parts.as_slice() {
        ["brokers", "topics"] if !removes => {
            format!("The names of the topics: kafka-topics {broker} --list")
        }
        ["brokers" | "admin", "topics" | "delete_topics", topic, ..] if removes => {
            format!("To delete the topic: kafka-topics {broker} --delete --topic {topic}")
        }
        ["config", "topics", topic] if removes => {
            format!(
                "To delete the topic with its settings: kafka-topics {broker} --delete --topic {topic}"
            )
        }
        ["brokers", "topics", topic, ..] => {
            format!("To see the topic: kafka-topics {broker} --describe --topic {topic}")
        }
        ["admin", "delete_topics"] => format!(
            "Topics are deleted at once, none waits for it: kafka-topics {broker} --list shows those that are left"
        ),
        ["brokers", "ids", ..] | ["brokers"] | ["controller"] => {
            format!(
                "The brokers: kafka-broker-api-versions {broker}, or kafka-cluster cluster-id {broker}"
            )
        }
        ["consumers", group, ..] if removes => {
            format!("To delete the group: kafka-consumer-groups {broker} --delete --group {group}")
        }
        ["consumers", group, ..] => {
            format!("To see the group: kafka-consumer-groups {broker} --describe --group {group}")
        }
        ["consumers"] => format!("The consumer groups: kafka-consumer-groups {broker} --list"),
        ["config", "topics", topic] => format!(
            "The topic's settings: kafka-configs {broker} --describe --entity-type topics --entity-name {topic}"
        ),
        _ => format!(
            "Topics: kafka-topics {broker}; settings: kafka-configs {broker}; groups: kafka-consumer-groups {broker}"
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(line: &str) -> String {
        let args: Vec<String> = line.split(' ').map(ToOwned::to_owned).collect();
        shell(&args, &mut Vec::new()).unwrap_err().to_string()
    }

    #[test]
    fn the_shell_names_the_command_of_today() {
        for (line, command) in [
            (
                "localhost:2181 ls /brokers/topics",
                "kafka-topics --bootstrap-server HOST:9092 --list",
            ),
            (
                "-server h:2181 rmr /brokers/topics/orders",
                "--delete --topic orders",
            ),
            (
                "h:2181 rmr /admin/delete_topics/orders",
                "--delete --topic orders",
            ),
            (
                "h:2181 get /brokers/topics/orders",
                "--describe --topic orders",
            ),
            ("h:2181 ls /consumers", "kafka-consumer-groups"),
            ("h:2181", "kafka-topics"),
        ] {
            assert!(said(line).contains(command), "{line}: {}", said(line));
        }
    }

    #[test]
    fn starting_and_stopping_it_say_why_nothing_happens() {
        let mut out = Vec::new();
        start(&[], &mut out).unwrap();
        stop(&[], &mut out).unwrap();
        let text = String::from_utf8(out).unwrap();
        assert!(text.contains("kafka-server-start") && text.contains("kafka-server-stop"));
    }
}
